"""Load, once in the fork server, what each started bot would load for itself (see forked.py)."""

import encodings.idna

import cryptography.fernet
import cryptography.hazmat.backends.openssl.backend
import email_validator
import phonenumbers
import slack_bolt.listener_matcher.async_builtins

import bot.storage.postgres.open
import tests.support.live
from bot.slack.messages.catalogue.languages import load_languages
from bot.storage.statements import load_statements

__all__ = ["bot", "cryptography", "email_validator", "encodings", "phonenumbers", "slack_bolt", "tests"]

load_languages()
load_statements("sqlite")
load_statements("postgres")
phonenumbers.is_valid_number(phonenumbers.parse("+14155550123"))  # reads the rules of a country
