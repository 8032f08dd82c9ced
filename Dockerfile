# The one image: predictor, trainer and training job. `make image` builds it.
# The context is a built Bento (`bentoml build`), not this folder: src/ holds the three rooms.

FROM python:3.11-slim AS base
# libgomp1 for LightGBM, which brings none of its own; tini, see below.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig /var/log/apt /var/log/dpkg.log \
 && echo 'tideline:x:65532:' >> /etc/group \
 && echo 'tideline:x:65532:65532:Tideline:/var/lib/tideline:/usr/sbin/nologin' >> /etc/passwd \
 && install -d -o 65532 -g 65532 /var/lib/tideline

# --- the dependencies: built anew only when the pins change ----------------------------------------
FROM base AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python -m venv --without-pip /opt/tideline
COPY src/constraints-runtime.txt /tmp/
# --no-deps: the file is the whole resolved set. xgboost-cpu is the same release without its GPU code,
# 210 MB less; laid over xgboost, whose name TPOT and the model documents know. It is made for x86-64.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/tideline install --no-deps --no-compile -r /tmp/constraints-runtime.txt \
 && if [ "$(uname -m)" = x86_64 ]; then \
      pip --python /opt/tideline install --no-deps --no-compile \
        "$(sed -n 's/^xgboost==\([^ ;]*\).*/xgboost-cpu==\1/p' /tmp/constraints-runtime.txt | head -n 1)"; \
    fi
# What only developers read, and the parts of pyarrow that nobody here imports.
# Bytecode is checked against nothing at run time: the image is read-only, and files have no age in it.
RUN cd /opt/tideline/lib/python3.11/site-packages \
 && find . -depth -type d \( -name tests -o -name test \) -exec rm -r {} + \
 && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.a' \) -delete \
 && rm -rf pyarrow/include pyarrow/src pyarrow/*flight* pyarrow/*_s3* \
 && python -m compileall -q -j 0 -x py2_raise --invalidation-mode unchecked-hash .

# --- the rooms -----------------------------------------------------------------------------------
FROM dependencies AS rooms
COPY src /tmp/src
RUN pip --python /opt/tideline install --no-deps --no-build-isolation --no-compile --no-cache-dir \
      --target /srv/tideline /tmp/src \
 && python -m compileall -q --invalidation-mode unchecked-hash /srv/tideline
# An image from which too much was taken is not made.
RUN cd /srv/tideline && /opt/tideline/bin/python -c \
      'import lightgbm, pyarrow.dataset, pyarrow.parquet, service.bento, tpot, training.proposer.evolution, xgboost'
# The feature kernels, compiled for any CPU of the architecture: pods run on others than the builder's.
ENV NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=
RUN cd /srv/tideline && NUMBA_CACHE_DIR=/opt/compiled /opt/tideline/bin/python -m tideline.features.compilation

# --- what is shipped -----------------------------------------------------------------------------
FROM base
# Written are /var/lib/tideline (models, BentoML's state) and /tmp (caches, scratch), and nothing else.
ENV PATH=/opt/tideline/bin:$PATH \
    PYTHONPATH=/srv/tideline \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    HOME=/var/lib/tideline \
    TIDELINE_HOME=/var/lib/tideline \
    BENTOML_HOME=/var/lib/tideline/bentoml \
    BENTOML_DO_NOT_TRACK=True \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba \
    NUMBA_CPU_NAME=generic \
    NUMBA_CPU_FEATURES= \
    TIDELINE_COMPILED=/opt/compiled \
    XDG_CACHE_HOME=/tmp/cache
COPY --from=dependencies /opt/tideline /opt/tideline
COPY --from=rooms /srv/tideline /srv/tideline
COPY --from=rooms /opt/compiled /opt/compiled
WORKDIR /srv/tideline
USER 65532:65532
EXPOSE 3000
# The first process of a container has no default signal actions: without tini, a SIGTERM that comes while
# Python still imports would be lost, and the pod would stay for its whole grace period.
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "service", "laptop", "--host", "0.0.0.0", "--port", "3000"]

ARG VERSION=0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Tideline" \
      org.opencontainers.image.description="AutoML for time series: predictor, trainer and training job" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
