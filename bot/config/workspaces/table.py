"""Read the settings in one table of the file of workspaces. Faults name the keys of the table."""

import difflib
import json
import re
from collections.abc import Mapping

from bot.config.reader import EXAMPLE, PREDICATE, Reader, needs_example
from bot.config.variables import OTHERS, PROCESS_ONLY, VARIABLES, Variable, example
from bot.config.workspaces.toml_file import Table
from bot.core.validation.text import unquoted

KEYS = {name.lower(): variable for name, variable in VARIABLES.items() if name not in PROCESS_ONLY}
"""The variables that a table can set, by the key in the table, such as `slack_bot_token`."""
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
"""The form of a variable's name, such as SLACK_BOT_TOKEN. No kind of secret has this form."""
_WORDS = re.compile(r"[A-Za-z_-]{1,60}")
"""The form of a key that the text of a fault may show. A key with digits may be a secret that was pasted there."""
_SWITCH = {"true": "true", "on": "true", "false": "false", "off": "false"}


class TableReader(Reader):
    """Reads the values of one table of the file of workspaces as if they were environment variables.

    The faults name the table and the keys of the table.

    Two arguments of the constructor:

    - `shared`: the variables that all workspaces share.
    - `environ`: the variables that the table can use by `{env = "NAME"}`.

    The attributes:

    - `workspace`: the short name of the workspace.
    - `variables`: the variables that were made from the keys of the table, by name.
    - `environ`: the variables that the reader can read: `shared`, overridden by `variables`. It differs from the
      constructor's argument `environ`.
    - `paths`: the paths of the secret files that the table names.
    - `has_read_wrong_key`: True after a call of `given` for a variable whose key in the table has a fault. The
      constructor finds these faults.
    """

    def __init__(self, workspace: str, table: Table, shared: Mapping[str, str], environ: Mapping[str, str]) -> None:
        super().__init__(shared, workspace)
        self.paths: list[str] = []
        self.has_read_wrong_key = False
        self._wrong_keys: set[str] = set()
        self._surroundings = environ
        given = [self._variables_of(key, value) for key, value in table.items()]
        self.variables = {name: text for each in given for name, text in each.items()}
        self.environ = {**shared, **self.variables}

    def given(self, name: str) -> str:
        """Return the value of a variable, without quotes around it.

        It is the table's value, else the value that all workspaces share, else "". If the table's key for this variable
        has a fault, ignore the table's value, and set `has_read_wrong_key` to True.
        """
        self.has_read_wrong_key |= _key(name) in self._wrong_keys
        return super().given(name)

    def is_named(self, name: str) -> bool:
        """Return whether the table has the key for this variable, or all workspaces share a value. Read no file."""
        return _key(name) in self._wrong_keys or super().is_named(name)

    def fault(self, name: str, fix: str) -> None:
        """Add a fault of the variable `name`.

        `fix`: what is wrong with the value, and how to fix the value. The text can name other variables.

        Do nothing in these cases:

        - The constructor found a fault in the key that sets `name`, or in a key that sets a variable named in `fix`.
        - The same fault was added before.
        - A fault that explains why the value cannot be read was added before.
        """
        if self._wrong_keys.isdisjoint({_key(name), *map(_key, _VARIABLE.findall(fix))}):
            super().fault(name, fix)

    def _line(self, name: str, fix: str) -> str:
        key = _key(name)
        told = _VARIABLE.sub(lambda found: _key(found[0]) or found[0], fix)
        shown = _toml_example(KEYS[key], self.workspace) if key else example(name)
        end = f"{EXAMPLE}{shown}" if shown and needs_example(fix) else ""
        return f"[{self.workspace}] {key or name}{'' if PREDICATE.match(fix) else ':'} {told}{end}"

    def _variables_of(self, key: str, value: object) -> dict[str, str]:
        """Convert a key and its value to an environment variable: a dict with its name and value.

        The method `_reference` converts the values `{file = "PATH"}` and `{env = "NAME"}`. Add a fault and return an
        empty dict if the key is unknown, if the value is a secret instead of such a reference to the secret, or if the
        value has an unsupported type.
        """
        variable, name = KEYS.get(key), key.upper()
        if variable is None:
            return self._refuse(key, _unknown_key(key))
        if isinstance(value, dict) and variable.takes_file:
            return self._reference(key, variable, value)
        if variable.secret:
            held = _reference_examples(variable, self.workspace)
            return self._refuse(key, f"is a secret, which may not stand in this file. Write {held}.")
        text = _text(value)
        if text is None:
            return self._refuse(key, "must be a string, a whole number, true or false, or a list of strings.")
        return {name: text}

    def _reference(self, key: str, variable: Variable, value: Table) -> dict[str, str]:
        """Convert a key with the value `{file = "PATH"}` or `{env = "NAME"}` to an environment variable.

        Return a dict with the name and the value of the environment variable:

        - For a file: the name of `variable` with the ending `_FILE`, and PATH. Also add PATH to `paths`.
        - For `env`: the name of `variable`, and the value of the environment variable NAME.

        Add a fault and return an empty dict if `value` has another form, or if NAME is not set.
        """
        match value:
            case {"file": str(path), **others} if unquoted(path) and not others:
                self.paths.append(unquoted(path))
                return {f"{variable.name}_FILE": path}
            case {"env": str(name), **others} if name and not others:
                if unquoted(self._surroundings.get(name, "")):
                    return {variable.name: self._surroundings[name]}
                shown = f"the variable {name}, which" if _VARIABLE.fullmatch(name) else "a variable that"
                fix = f"names {shown} is not set. Set it in the environment or in .env."
                return self._refuse(key, fix)
        return self._refuse(key, f"must be {_reference_examples(variable, self.workspace)}.")

    def _refuse(self, key: str, fix: str) -> dict[str, str]:
        self._wrong_keys.add(key)
        shown = key if _WORDS.fullmatch(key) else "a key"
        self.faults.append(f"[{self.workspace}] {shown} {fix}")
        return {}


def _key(name: str) -> str:
    """Return the key by which a workspace's table sets the variable `name`; "" if a table cannot set it.

    The key is `name` in lower case. If KEYS has no such key, leave out the ending `_file`.
    """
    keys = (name.lower(), name.removesuffix("_FILE").lower())
    return next((key for key in keys if key in KEYS), "")


def _unknown_key(key: str) -> str:
    name = key.upper().replace("-", "_")
    if name in PROCESS_ONLY or name in OTHERS or name == "NO_PROXY":
        return f"is a setting of the process, and not of a workspace. It belongs to the environment, as {name}."
    held = KEYS.get(key.lower().removesuffix("_file")) if key.lower().endswith("_file") else None
    if held and held.takes_file:
        return f'is not known. Write {held.name.lower()} = {{file = "PATH"}}.'
    (near,) = difflib.get_close_matches(name.lower(), KEYS, 1, 0.8) or [""]
    return f"is not known. {f'Did you mean {near}?' if near else 'Remove it, or look it up among the settings.'}"


def _text(value: object) -> str | None:
    """Convert a TOML value to the text that an environment variable would have. Return None for an unsupported type.

    A list of strings becomes one text with commas between the items.
    """
    match value:
        case bool():
            return str(value).lower()
        case int() | str():
            return str(value)
        case list() if all(isinstance(each, str) for each in value):
            return ",".join(value)
    return None


def _toml_example(variable: Variable, workspace: str) -> str:
    """Return a line of TOML that sets this variable to an example value. For a secret, the line names a file.

    `workspace`: the short name of the workspace, for the name of the file.
    """
    key, value = variable.name.lower(), variable.example or variable.default
    if variable.secret:
        return f'{key} = {{file = "/run/secrets/{workspace}-{_dashed(key)}"}}'
    value = _SWITCH.get(value) or (value if value.isdecimal() else json.dumps(value, ensure_ascii=False))
    return f"{key} = {value}"


def _reference_examples(variable: Variable, workspace: str) -> str:
    key = variable.name.lower()
    name = f"{workspace}_{key}".upper().replace("-", "_")
    return f'{_toml_example(variable, workspace)} or {key} = {{env = "{name}"}}'


def _dashed(key: str) -> str:
    return key.replace("_", "-")
