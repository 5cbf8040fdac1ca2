"""Read the settings of several workspaces, which one process serves, from one TOML file."""
