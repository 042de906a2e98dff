# The mock relay in a container; written where no engine runs, so untried: `docker build -t relayproof . && docker run -p 8787:8787 relayproof`
FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/relayproof && /opt/relayproof/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
COPY --from=build /opt/relayproof /opt/relayproof
RUN useradd --create-home relay
USER relay
WORKDIR /home/relay
ENV PATH=/opt/relayproof/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8787
ENTRYPOINT ["relayproof"]
CMD ["serve", "--host", "0.0.0.0"]
