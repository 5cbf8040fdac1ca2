# The image contains the bot without its sandbox, and the libraries of requirements-image.txt. It runs as a user that owns
# no file in it.
# requirements-build.txt pins the build tools, which stay in the first stage. Tags are exact versions: a release workflow
# with access to the registry pins their digests, and Dependabot updates them.
# The bot writes only to /data, which holds the SQLite file: mount a volume there, or set DATABASE_URL. /data is not the
# working directory, and no settings are read there: a program that can write beside the database must not change them.
# Relative paths of files that the bot writes are below STATE_DIRECTORY.
FROM python:3.13.15-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/cobrowse-bot
COPY requirements-image.txt requirements-build.txt /src/
RUN pip --python /opt/cobrowse-bot/bin/python install --require-hashes -r /src/requirements-image.txt \
  && pip install --require-hashes -r /src/requirements-build.txt
COPY pyproject.toml setup.py README.md LICENSE /src/
COPY bot /src/bot
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /src \
  && pip --python /opt/cobrowse-bot/bin/python install --no-deps --no-index /wheels/*.whl

FROM python:3.13.15-slim-bookworm
RUN groupadd --gid 10001 cobrowse \
  && useradd --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin cobrowse \
  && install --directory --owner=10001 --group=10001 --mode=700 /data \
  && install --directory --mode=755 /etc/cobrowse-bot
LABEL org.opencontainers.image.title=cobrowse-bot \
  org.opencontainers.image.version=0.1.0 \
  org.opencontainers.image.licenses=MIT
COPY --from=build /opt/cobrowse-bot /opt/cobrowse-bot
ENV PATH=/opt/cobrowse-bot/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 \
  HOST=0.0.0.0 PORT=3000 HEALTH_PORT=3001 STATE_DIRECTORY=/data
USER 10001:10001
WORKDIR /etc/cobrowse-bot
VOLUME /data
EXPOSE 3000 3001
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-m", "bot", "health"]
ENTRYPOINT ["cobrowse-bot"]
CMD ["run"]
