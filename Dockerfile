# docker build .                          CPU (any x86-64 with AVX2, or arm64)
# docker build --build-arg ACCEL=cuda .   NVIDIA GPUs; it needs the driver, as `docker run --gpus all` brings it.
#                                         --build-arg CUDA_ARCHITECTURES=90 builds for these only, in less time.
# --build-arg REVISION=$(git rev-parse --short HEAD) is what glasnost_build_info tells of the image.
#
# It runs with a read-only root: `docker run --read-only --tmpfs /tmp --volume glasnost:/var/lib/glasnost glasnost`.
# /opt/glasnost/sbom.cdx.json lists what is in it.
ARG ACCEL=cpu

FROM debian:bookworm-slim AS build-cpu
ENV ACCELERATOR=""

FROM nvidia/cuda:12.8.1-devel-ubuntu24.04 AS build-cuda
ARG CUDA_ARCHITECTURES
ENV ACCELERATOR="--cuda" CUDA_ARCHITECTURES=${CUDA_ARCHITECTURES}

FROM build-${ACCEL} AS build
ENV CMAKE_ARGS="-DGGML_NATIVE=OFF"
RUN apt-get update && apt-get install --yes --no-install-recommends g++ python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/glasnost
WORKDIR /src
COPY constraints.txt ./
COPY scripts/wheel scripts/cuda.py scripts/
# The one slow step stands alone, so that a change of our own code does not repeat it.
# hadolint ignore=SC2086  # the accelerator is no argument where it is empty
RUN wheel=$(/opt/glasnost/bin/python scripts/wheel ${ACCELERATOR}) \
    && /opt/glasnost/bin/pip install --no-cache-dir --constraint constraints.txt "$wheel"
COPY pyproject.toml README.md LICENSE ./
COPY policies policies
COPY proxy proxy
RUN /opt/glasnost/bin/pip install --no-cache-dir --constraint constraints.txt '.[local,litellm,otel,postgresql,redis,parquet,cuda]'
# What is in the image, as CycloneDX; the tool that writes it stays out of it.
RUN python3 -m venv /opt/sbom && /opt/sbom/bin/pip install --no-cache-dir 'cyclonedx-bom>=7.1' \
    && /opt/sbom/bin/cyclonedx-py environment --output-file /opt/glasnost/sbom.cdx.json /opt/glasnost/bin/python

FROM debian:bookworm-slim AS run-cpu
FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04 AS run-cuda

FROM run-${ACCEL}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libgomp1 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=10001 --group=10001 /var/lib/glasnost
COPY --from=build /opt/glasnost /opt/glasnost
ARG REVISION
ENV GLASNOST_REVISION=${REVISION}
ENV PATH=/opt/glasnost/bin:$PATH HOME=/var/lib/glasnost XDG_CACHE_HOME=/var/lib/glasnost
USER 10001:10001
WORKDIR /var/lib/glasnost
VOLUME /var/lib/glasnost
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/livez', timeout=3)"]
# Listening beyond the loopback needs a configuration with API keys: mount one and name it with --config.
ENTRYPOINT ["glasnost"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
