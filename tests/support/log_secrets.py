"""Share what the log masks: secrets by their form, secrets that the settings hold, and what stands around them."""

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjbGllbnQifQ.c2lnbmF0dXJl-_"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ==\n-----END PRIVATE KEY-----"
SECRETS = [
    ("xoxb-123-456-abcDEF", "abcDEF"),
    ("xoxe.xoxb-1-abcDEF", "abcDEF"),
    ("xapp-1-A1-2-abcDEF", "abcDEF"),
    (JWT, "c2lnbmF0dXJl"),
    ("Bearer abcDEF._~+/-123==", "abcDEF"),
    ("authorization: bearer abcDEF123", "abcDEF"),
    ("Basic YWJjREVGOg==", "YWJjREVGOg"),
    (PEM, "MIIEvQ"),
    (PEM.replace("PRIVATE", "ENCRYPTED PRIVATE"), "kqhkiG9w"),
    (PEM.replace("PRIVATE", "RSA PRIVATE").replace("\n", "\\n"), "kqhkiG9w"),
    (PEM[:60], "MIIEvQ"),
    ("ana.agent+x@mail.example.com", "ana.agent"),
    ("O'Hara_1@example.co.uk", "Hara"),
    ("https://hooks.slack.com/commands/T0/123/abcDEF", "abcDEF"),
    ("https://join.example/s/abcDEF?code=1#x", "abcDEF"),
    ("http://localhost:8080?code=abcDEF", "abcDEF"),
    ("wss://wss-primary.slack.com/link/?ticket=abcDEF", "abcDEF"),
    ("https://user:abcDEF@db.example/x", "abcDEF"),
    ("https://user:abcDEF@localhost", "abcDEF"),
    ("known-hush-1", "hush"),
    ('known "hush" \\2', "hush"),
]
"""What is written, and what of it must not be read."""
KNOWN = ["known-hush-1", 'known "hush" \\2', "known-hush-1-and-longer"]
"""Secrets that the settings hold."""
AROUND = ["{}", "x={}", '"{}"', "({})", "a {} b", "line\n{}\nline", "tab\t{}", "{{'k': '{}'}}", "/{}", "«{}»"]
"""What may stand around a secret."""
