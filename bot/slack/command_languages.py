"""Hold the words for commands in languages other than English (pure). Every user can type the words of every language.

Accents make no difference. command_words.py decides what the words mean in a text. Some command words often begin a
session's name, such as "fin" in "Fin de mes". A text that begins with such a word is a command or a name. That depends
on the other words. Two lists matter: fillers such as "the", and `nouns`, the things on which commands act, such as
"session".

- If all other words are in these lists, or if there are none, the text is a command.
- If some are in neither list, and none is in `nouns`, the text is a session's name.
- If some are in neither list, and one is in `nouns`, the bot asks.
"""

import unicodedata
from dataclasses import dataclass


def without_marks(text: str) -> str:
    """Remove the accents and other combining marks from a text. The result has Unicode's form NFKD."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if unicodedata.category(each)[0] != "M")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words for commands in one language. Each field has lower-case words, separated by spaces.

    - `new`, `end`, `status`, `last`, `help`, `send`: the words that mean the command with the name of the field.
    - `begins_names`: those words of the six fields above that often begin a session's name.
    - `polite`, `possessives`: words before a command word that do not change the meaning of the text.
    - `fillers`: words before or after a command word that do not change the meaning of the text.
    - `nouns`: words for the things on which commands act, such as a session.
    """

    new: str
    end: str
    status: str
    last: str
    help: str
    send: str
    begins_names: str
    polite: str
    possessives: str
    fillers: str
    nouns: str

    @property
    def aliases(self) -> dict[str, str]:
        """Return a mapping from each command word of this language, without accents, to the English command word."""
        commands = ("new", "end", "status", "last", "help", "send")
        return {word: command for command in commands for word in without_marks(getattr(self, command)).split()}


SPANISH = Vocabulary(
    new="iniciar empezar comenzar nuevo nueva",
    end="terminar finalizar acabar detener parar cerrar fin",
    status="estado sesiones",
    last="último última",
    help="ayuda",
    send="enviar mandar",
    begins_names="nuevo nueva cerrar fin estado último última ayuda",
    polite="por favor gracias",
    possessives="mi mis",
    fillers="el la los las de del esta este ahora todo todos todas",
    nouns="sesión enlace enlaces cliente clientes pantalla código",
)
PORTUGUESE = Vocabulary(
    new="iniciar começar novo nova",
    end="encerrar terminar finalizar parar fechar fim",
    status="situação sessões",
    last="último última",
    help="ajuda",
    send="enviar mandar",
    begins_names="novo nova fechar fim situação último última ajuda",
    polite="por favor obrigado obrigada",
    possessives="minha minhas meu meus",
    fillers="o a os as do da esta este agora tudo todas",
    nouns="sessão cliente clientes tela código",
)
FRENCH = Vocabulary(
    new="démarrer commencer lancer nouveau nouvelle",
    end="terminer arrêter finir fermer fin",
    status="état statut",
    last="dernier dernière",
    help="aide",
    send="envoyer",
    begins_names="nouveau nouvelle fermer fin état statut dernier dernière aide",
    polite="svp stp s'il s’il te vous plaît merci",
    possessives="ma mon",
    fillers="le la les de du cette ce maintenant tout toutes",
    nouns="lien liens client cliente clients écran",
)
GERMAN = Vocabulary(
    new="starten beginnen neu neue neuer",
    end="beenden stoppen stopp abbrechen schliessen ende",
    status="sitzungen",
    last="letzte letzter letzten letztes",
    help="hilfe",
    send="senden schicken",
    begins_names="neu neue neuer ende letzte letzter letzten letztes hilfe",
    polite="bitte danke",
    possessives="meine mein meinen",
    fillers="der die das den dem jetzt alle diese dieser diesen",
    nouns="sitzung kunde kunden kundin bildschirm",
)
JAPANESE = Vocabulary(
    new="開始 新規 スタート セッション開始",
    end="終了 終わり 停止 閉じる セッション終了",
    status="状態 状況 ステータス",
    last="最後 前回 最新",
    help="ヘルプ 使い方",
    send="送信 送る リンク送信",
    begins_names="新規 最新 状況",
    polite="お願いします ください",
    possessives="私の",
    fillers="今 すぐ 全部",
    nouns="セッション リンク お客様 画面 コード",
)
VOCABULARIES = {"es": SPANISH, "pt_BR": PORTUGUESE, "fr": FRENCH, "de": GERMAN, "ja": JAPANESE}
"""The vocabulary of each language except English, by locale."""


def words_of(field: str) -> frozenset[str]:
    """Return the words that the vocabularies of all languages have in one field, without accents.

    `field`: the name of a field of Vocabulary.
    """
    return frozenset(word for each in VOCABULARIES.values() for word in without_marks(getattr(each, field)).split())
