# The first stages install by hash and build the wheels; the last one runs the product and holds no
# compiler, no build tool, no package installer of ours and nothing of the test kit.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/run.txt requirements/build.txt requirements/
RUN python -m venv /build/tools \
    && /build/tools/bin/pip install --require-hashes -r requirements/build.txt \
    && python -m venv --without-pip /opt/connector \
    && /build/tools/bin/pip --python /opt/connector/bin/python install \
        --require-hashes --only-binary :all: -r requirements/run.txt
COPY pyproject.toml README.md ./
COPY schemas schemas
COPY connector connector
RUN /build/tools/bin/pip wheel --no-deps --no-index --no-build-isolation --wheel-dir dist . \
    && /build/tools/bin/pip --python /opt/connector/bin/python install \
        --no-deps --no-index dist/*.whl \
    && /opt/connector/bin/python -m compileall -q /opt/connector/lib

# The same with the test kit: ``docker build --target demo`` runs the whole job in one container.
FROM build AS build-demo
COPY requirements/testkit.txt requirements/
COPY testkit testkit
RUN /build/tools/bin/pip --python /opt/connector/bin/python install \
        --require-hashes --only-binary :all: -r requirements/testkit.txt \
    && /build/tools/bin/pip wheel --no-deps --no-index --no-build-isolation \
        --wheel-dir dist-testkit ./testkit \
    && /build/tools/bin/pip --python /opt/connector/bin/python install \
        --no-deps --no-index dist-testkit/*.whl

FROM ${PYTHON_IMAGE} AS runtime
# Python's own installer goes as well, and its modules are compiled, because nothing can be written
# when they are imported.
RUN rm -rf /usr/bin/pip* /usr/local/bin/pip* /usr/share/python-wheels \
        /usr/lib/python3*/ensurepip /usr/local/lib/python3*/ensurepip \
        /usr/lib/python3*/dist-packages/pip* /usr/local/lib/python3*/*-packages/pip* \
    && python -m compileall -q -x '/(idlelib|lib2to3|test|tests|turtledemo)/' \
        "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pki-connector" \
      org.opencontainers.image.description="Moves escrowed S/MIME keys to enrolled devices" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH="/opt/connector/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/pki-connector
RUN chown 10001:10001 /var/lib/pki-connector \
    && install -d -o 10001 -g 10001 -m 0700 /run/pki-connector
USER 10001:10001
VOLUME ["/var/lib/pki-connector"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["pki-connector"]

FROM runtime AS demo
COPY --from=build-demo /opt/connector /opt/connector
CMD ["demo"]

FROM runtime
COPY --from=build /opt/connector /opt/connector
CMD ["serve"]
