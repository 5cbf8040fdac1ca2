"""Render the menu in which the agent chooses the language of a message to a customer, and read the choice (pure).

The menu appears only if the settings have texts in several languages.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.customer_texts import CustomerTexts
from bot.core.validation.contact import ContactChannel
from bot.slack.messages.blocks import Block, option
from bot.slack.messages.catalogue.sentence import Language, label

LANGUAGE_ACTION = "customer_language"
ASK = label("customer_language.ask", "Customer’s language")
NAMES = {
    "en": label("customer_language.en", "English"),
    "es": label("customer_language.es", "Spanish"),
    "pt_BR": label("customer_language.pt_br", "Portuguese (Brazil)"),
    "fr": label("customer_language.fr", "French"),
    "de": label("customer_language.de", "German"),
    "ja": label("customer_language.ja", "Japanese"),
}


def language_select(texts: CustomerTexts, medium: ContactChannel, language: Language) -> list[Block]:
    """Build the menu of the languages that have a text for this medium. Return [] if there is only one language.

    `language`: the language in which the menu names the languages.
    """
    languages = texts.languages(medium)
    if len(languages) < 2:
        return []
    options = [option(language.say(NAMES[each]), each) for each in languages]
    return [
        {
            "type": "static_select",
            "action_id": LANGUAGE_ACTION,
            "placeholder": {"type": "plain_text", "text": language.say(ASK)},
            "options": options,
            "initial_option": options[0],
        }
    ]


def language_input(texts: CustomerTexts, medium: ContactChannel, language: Language) -> list[Block]:
    """Build the menu of the languages as a field of a dialog. Return [] if there is only one language."""
    name = {"type": "plain_text", "text": language.say(ASK)}
    return [
        {"type": "input", "block_id": LANGUAGE_ACTION, "label": name, "element": menu}
        for menu in language_select(texts, medium, language)
    ]


def read_language(place: Mapping[str, Any]) -> str:
    """Return the code of the language that is selected in the menu; "" if there is no menu or no valid selection.

    `place`: the view that contains the menu. For a menu in a message, the whole `block_actions` payload.
    """
    blocks = ((place.get("state") or {}).get("values") or {}).values()
    chosen = [menu for block in blocks if (menu := block.get(LANGUAGE_ACTION))]
    found = str(((chosen[0].get("selected_option") or {}).get("value")) or "") if chosen else ""
    return found if found in NAMES else ""
