# One image for gateway, simulators and the one-shot that builds the dashboards.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY gateway gateway
COPY devices devices
COPY simulators simulators
COPY textfile textfile
COPY dashboards dashboards
RUN python -m venv /opt/parkgate \
 && /opt/parkgate/bin/pip install --no-cache-dir --only-binary :all: --constraint constraints.txt setuptools wheel \
 && /opt/parkgate/bin/pip install --no-cache-dir --prefer-binary --no-build-isolation --constraint constraints.txt .

FROM python:3.11-slim
LABEL org.opencontainers.image.title="parkgate" \
      org.opencontainers.image.licenses="Apache-2.0"
# dialout is the group that owns serial ports on the usual Linux hosts.
RUN useradd --system --uid 10001 --user-group --groups dialout --home-dir /var/lib/parkgate --create-home parkgate \
 && install -d -o parkgate -g parkgate -m 0700 /var/lib/parkgate \
 && install -d -o parkgate -g parkgate -m 0755 /grafana
COPY --from=build /opt/parkgate /opt/parkgate
ENV PATH=/opt/parkgate/bin:$PATH PYTHONUNBUFFERED=1
USER parkgate
WORKDIR /var/lib/parkgate
STOPSIGNAL SIGTERM
ENTRYPOINT ["parkgate"]
CMD ["--help"]
