# docker build -t trio-argoagent:0.1.0 .
# docker build -t trio-argoagent:0.1.0 --build-arg EXTRAS= .    without what sends traces, which is 28 MB
#
# One image for the principal, the agent and ctl. It runs as nobody, writes nothing and needs no shell.
FROM python:3.13-slim AS build
RUN python -m venv /opt/trio-argoagent
WORKDIR /source
COPY . .
ARG EXTRAS=otel
RUN /opt/trio-argoagent/bin/pip install --no-cache-dir ".${EXTRAS:+[$EXTRAS]}"

FROM python:3.13-slim
COPY --from=build /opt/trio-argoagent /opt/trio-argoagent
# Everything is compiled already, and nothing can be written.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["/opt/trio-argoagent/bin/trio-argoagent"]
