"""The command line: the only place that reads files, the environment and arguments."""


def main() -> None:
    """Run `glasnost`; the commands are imported only now, so that importing the package stays cheap."""
    from glasnost.cli.main import app  # noqa: PLC0415 - see the docstring

    app()
