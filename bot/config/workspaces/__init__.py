"""Read the settings of several workspaces from one TOML file. One process serves all of them."""
