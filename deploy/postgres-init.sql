-- Makes the bot's role and database in a new Postgres: for compose.yaml, which mounts it into /docker-entrypoint-initdb.d.
-- The role owns its database and nothing else. Postgres's superuser is `postgres`, whose password the bot never has.
\set password `cat /run/secrets/database-password`
CREATE ROLE cobrowse LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE cobrowse OWNER cobrowse;
REVOKE ALL ON DATABASE cobrowse FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
