# nats-server as the common image of that name is called: the server is the entry point, its arguments are the command.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
COPY nats-server /usr/local/bin/nats-server
VOLUME /data
EXPOSE 4222
ENTRYPOINT ["nats-server"]
