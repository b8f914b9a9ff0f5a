"""Model files: which ones are known, where their bytes come from, and where verified ones are kept."""
