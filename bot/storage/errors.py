"""Define the sentences that explain why the bot cannot use a database. Each sentence has a stable code.

The commands that open the database show the sentences. Each sentence names the problem and the fix. No sentence
contains a password or the database's URL.
"""

from types import MappingProxyType

from bot.core.errors import SetupError


class StorageSetupError(SetupError):
    """The bot cannot use the database."""

    code = "database_unusable"


_SPECIAL = "# is %23, @ is %40, / is %2F, ? is %3F, [ is %5B, ] is %5D"

SENTENCES = MappingProxyType(
    {
        # The content
        "database_newer_version": (
            "The database is of a newer version ({found}) than this program ({known}). Install the newer program."
        ),
        "database_newer_for_command": (
            "The database is of a newer version ({found}) than this program ({known}). The bot can run on it, but this "
            "command has to know everything that is stored. Run it with the newer program."
        ),
        "database_older_version": (
            "The database is of version {found}, which was never released: this program reads versions {oldest} to "
            "{known}. Give the bot a new database."
        ),
        "database_key_mismatch": (
            "STORE_ENCRYPTION_KEY does not fit this database: it was written with another key. "
            "Put the old key behind the new one, separated by a comma."
        ),
        "database_key_needed": (
            "Stored values still need a key that is no longer in STORE_ENCRYPTION_KEY. "
            "Put it back behind the new one, run `cobrowse-bot db rotate-key`, and then remove it."
        ),
        "database_schema_conflict": (
            "The database holds tables that this program did not make, or not as it knows them. "
            "Give the bot a database, a schema or a file that nothing else uses."
        ),
        "database_memory": "DATABASE_URL is memory:, where nothing is remembered. Set it to the bot's database.",
        # The address
        "database_driver_missing": (
            "DATABASE_URL names Postgres, whose driver is not installed. Install cobrowse-bot[postgres]."
        ),
        "database_address_invalid": (
            "DATABASE_URL cannot be read as postgresql://user:password@host:port/name. "
            f"Correct it, and percent-encode special characters in the password: {_SPECIAL}."
        ),
        "database_parameter_unknown": (
            "Postgres does not take the parameter {name} of DATABASE_URL, or not its value. "
            "Remove the parameter, or correct it."
        ),
        "database_parameter_invalid": (
            "The driver does not take the value of {name}, which stands in DATABASE_URL or in the environment (PG…). "
            "Correct it, or remove it."
        ),
        "database_host_unknown": (
            "The name service knows no host of the name in DATABASE_URL. Correct the host, or mend the name service."
        ),
        "database_host_lookup_failed": (
            "The name service does not answer for the host in DATABASE_URL. Mend it, and start again."
        ),
        "database_connection_refused": (
            "Nothing takes connections at the host and port in DATABASE_URL. Start Postgres, or correct host and port."
        ),
        "database_unreachable": (
            "No network leads to the host in DATABASE_URL. Check the network, the firewall, and the host."
        ),
        "database_timeout": (
            "Postgres does not answer in time. Check the host and port in DATABASE_URL, and the firewall between."
        ),
        "database_connection_closed": (
            "What answers at the host and port in DATABASE_URL closes the connection. "
            "Check that it is Postgres, and that sslmode and sslnegotiation fit it."
        ),
        "database_socket_missing": (
            "There is no socket of Postgres where DATABASE_URL looks for one. "
            "Start Postgres, or give a host and a port in DATABASE_URL."
        ),
        "database_socket_denied": (
            "The socket of Postgres may not be opened by this user. "
            "Let the bot's user into the directory of the socket, or give a host and a port in DATABASE_URL."
        ),
        "database_address_changed": (
            "DATABASE_URL leads to another database, which the bot uses only after a new start. "
            "Start the bot again, or correct the address. Only user and password can change while it runs."
        ),
        # TLS
        "database_tls_refused": (
            "Postgres refuses TLS, which sslmode in DATABASE_URL asks for. "
            "Switch on ssl in Postgres, or choose another sslmode."
        ),
        "database_tls_failed": (
            "Postgres and the bot cannot agree on TLS. Check sslmode, sslnegotiation, sslcert with sslkey, "
            "ssl_min_protocol_version and ssl_max_protocol_version in DATABASE_URL, and the TLS settings of Postgres."
        ),
        "database_certificate_untrusted": (
            "The certificate of Postgres is not from an authority in the file that sslrootcert names. "
            "Set sslrootcert in DATABASE_URL to a PEM file with the certificate of its authority."
        ),
        "database_certificate_wrong_host": (
            "The certificate of Postgres is for another host name than the one in DATABASE_URL. "
            "Use the name that the certificate has, or sslmode=verify-ca."
        ),
        "database_certificate_expired": (
            "The certificate of Postgres has expired, or is not valid yet. Renew it, or correct the clock here."
        ),
        "database_certificate_missing": (
            "{parameter} needs the file {path}, which is not there. "
            "Put a PEM file there, or name another one in DATABASE_URL, as in sslrootcert=/etc/ssl/certs/my-ca.pem."
        ),
        "database_certificate_unreadable": (
            "{parameter} names the file {path}, which cannot be used ({why}). "
            "Give a PEM file that the bot's user may read."
        ),
        # Authentication
        "database_password_refused": (
            "Postgres refuses the user or the password in DATABASE_URL. "
            f"Correct them, and percent-encode special characters: {_SPECIAL}."
        ),
        "database_user_refused": (
            "Postgres does not let the user in DATABASE_URL sign in from here. "
            "Check that the role exists and may log in, and add a line to pg_hba.conf if there is none; "
            "one of hostssl needs sslmode=require."
        ),
        "database_login_unsupported": (
            "Postgres asks for a way to sign in that the driver does not have. "
            "Use scram-sha-256 in pg_hba.conf, and set a password."
        ),
        "database_not_found": (
            "Postgres has no database of the name in DATABASE_URL. Create it, or correct the name behind the host."
        ),
        "database_closed": (
            "The database takes no connections now. Allow them: ALTER DATABASE … ALLOW_CONNECTIONS true."
        ),
        "database_connections_exhausted": (
            "Postgres has no connection left for this user. "
            "Raise max_connections or the limit of the role: each replica takes up to eleven, and three more to start."
        ),
        "database_not_ready": "Postgres is starting or stopping. Wait until it is up, and start again.",
        # What the server permits
        "database_proxy_pools_transactions": (
            "Between this bot and Postgres stands a proxy that pools transactions, with which no replica can hold a "
            "lock. Give DATABASE_URL Postgres's own address, or let the proxy pool sessions."
        ),
        "database_standby": (
            "{where} is a standby, which cannot be written to. Give DATABASE_URL the primary's address."
        ),
        "database_read_only": (
            "{where} takes no writes: default_transaction_read_only is on. "
            "Switch it off for this user and database, or give DATABASE_URL the primary's address."
        ),
        "database_no_primary": (
            "None of the hosts in DATABASE_URL takes writes. Name the primary, or correct target_session_attrs."
        ),
        "database_schema_missing": (
            "{where}: there is no schema for the tables, or this user may not use it. "
            "Create it, grant USAGE on it, or correct search_path."
        ),
        "database_create_denied": ("{where}: this user may not make tables there. Grant it CREATE on the schema."),
        "database_owner_needed": (
            "{where}: the tables have to be brought up to date, and another role owns them. "
            "Start once as their owner, or make this user a member of that role."
        ),
        "database_rights_missing": (
            "{where}: this user lacks {rights} on {tables}. "
            "Grant it SELECT, INSERT, UPDATE and DELETE on all tables in the schema."
        ),
        "database_access_denied": (
            "Postgres refuses this user a right that the bot needs. "
            "Grant it CONNECT on the database, USAGE and CREATE on the schema, and all rights on the tables in it."
        ),
        # Faults of the server, and the rest
        "database_disk_full": (
            "{where} has no room left: the disk is full, or a quota is reached. Make room, and start again."
        ),
        "database_server_fault": (
            "Postgres reports a fault of the server (SQLSTATE {state}). Look at the log of Postgres."
        ),
        "database_refused": ("Postgres refuses what the bot needs (SQLSTATE {state}). Look at the log of Postgres."),
        "database_unusable": (
            "The database cannot be used, for a reason that this program does not know. "
            "Check DATABASE_URL, and look at the log of the database."
        ),
        # The SQLite file
        "database_file_in_use": "Another bot runs on the database {path}. Stop it first.",
        "database_file_missing": (
            "There is no database {path}. Run this where the bot runs, with its settings, or correct DATABASE_URL."
        ),
        "database_directory_missing": (
            "The database {path} cannot be made: there is no directory {directory}. "
            "Create the directory, or correct DATABASE_URL."
        ),
        "database_directory_denied": (
            "The database {path} needs files beside it, and this user may not write to the directory {directory}. "
            "Let the bot's user write there."
        ),
        "database_file_denied": (
            "The file {path} may not be read and written by this user. Give the file to the bot's user."
        ),
        "database_file_system_read_only": (
            "The database {path} is on a file system that takes no writes. "
            "Mount it for writing, or give DATABASE_URL another place."
        ),
        "database_path_not_a_file": (
            "The database {path} is a directory or no regular file. Give DATABASE_URL the path of a file."
        ),
        "database_file_not_sqlite": (
            "The file {path} is no SQLite database. Correct DATABASE_URL, or move the file away."
        ),
        "database_file_corrupt": "The database {path} is damaged. Restore a backup.",
        "database_file_locked": ("Another program has locked the database {path}. Close it, and start again."),
        "database_disk_error": (
            "The disk does not read or write the database {path}. "
            "Check the disk, its quota, and that it is no network share."
        ),
        "database_file_unusable": "The database {path} cannot be used ({why}). Check the file and DATABASE_URL.",
    }
)
"""The sentences by code. docs/run/troubleshoot.md has the remedy for each code."""


def refused(code: str, **words: object) -> StorageSetupError:
    """Return a StorageSetupError with this code and the code's sentence.

    `words`: the values of the placeholders in the sentence.
    """
    return StorageSetupError(SENTENCES[code].format(**words), code=code)
