-- What `run`, `hosts` and `check` ask a server before they use it. Nothing here changes anything.

-- name: server_state
SELECT current_database() AS name, current_setting('server_version') AS release, current_schema() AS schema,
    pg_is_in_recovery() AS is_standby,
    CAST(current_setting('default_transaction_read_only') AS BOOLEAN) AS is_read_only,
    has_schema_privilege(current_schema(), 'CREATE') AS may_create;

-- name: table_rights
-- Which of these tables exist, which rights this user lacks on each, and whether it may change the table itself.
SELECT name, pg_has_role(c.relowner, 'USAGE') AS owns,
    ARRAY(SELECT r FROM unnest(CAST('{SELECT,INSERT,UPDATE,DELETE}' AS TEXT[])) AS r
        WHERE NOT has_table_privilege(c.oid, r)) AS lacks
FROM unnest(CAST(:tables AS TEXT[])) AS name JOIN pg_class c ON c.oid = to_regclass(name)
ORDER BY name;
