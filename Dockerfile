# The image holds the bot without its sandbox and the libraries of requirements-image.txt, and runs as a user that owns
# nothing in it. What builds it is pinned too, by requirements-build.txt, and stays behind. Tags are exact versions; a
# release workflow that can ask the registry pins them by digest, and Dependabot raises them.
# The only place it writes to is /data, where the SQLite file is: mount a volume there, or set DATABASE_URL. It is not
# the working directory, and no settings are read there: who can write beside the database must not choose them. A
# relative path of a file that the bot writes is below STATE_DIRECTORY.
FROM python:3.13.15-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/cobrowse-bot
COPY requirements-image.txt requirements-build.txt /src/
RUN pip --python /opt/cobrowse-bot/bin/python install --require-hashes -r /src/requirements-image.txt \
  && pip install --require-hashes -r /src/requirements-build.txt
COPY pyproject.toml README.md LICENSE /src/
COPY bot /src/bot
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /src \
  && pip --python /opt/cobrowse-bot/bin/python install --no-deps --no-index /wheels/*.whl

FROM python:3.13.15-slim-bookworm
RUN groupadd --gid 10001 cobrowse \
  && useradd --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin cobrowse \
  && install --directory --owner=10001 --group=10001 --mode=700 /data \
  && install --directory --mode=755 /etc/cobrowse-bot
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
