# docker build -t trio-argoagent:0.1.0 .
#
# One image for the principal, the agent and ctl. It runs as nobody, writes nothing and needs no shell.
FROM python:3.13-slim AS build
RUN python -m venv /opt/trio-argoagent
WORKDIR /source
COPY . .
RUN /opt/trio-argoagent/bin/pip install --no-cache-dir .

FROM python:3.13-slim
COPY --from=build /opt/trio-argoagent /opt/trio-argoagent
# Everything is compiled already, and nothing can be written.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["/opt/trio-argoagent/bin/trio-argoagent"]
