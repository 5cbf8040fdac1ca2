"""Hold the words for commands in languages other than English (pure). Everybody can type the words of all languages.

command_words.py decides what the words mean in a text. A word that often begins a name means a command only if it is
alone, or together with fillers and nouns: "fin" ends a session, "Fin de mes" is a name. Accents make no difference.
"""

import unicodedata
from dataclasses import dataclass


def without_marks(text: str) -> str:
    """Return the text in Unicode's form NFKD without combining marks: no accents, no voicing marks of Japanese."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if unicodedata.category(each)[0] != "M")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words for commands in one language. Each field has lower-case words, separated by spaces.

    - `new`, `end`, `status`, `last`, `help`, `send`: the words for each command.
    - `begins_names`: those of these words that often begin a name.
    - `polite`, `possessives`: words that may come before a command and do not change its meaning.
    - `fillers`: other words that do not change the meaning of a command.
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
        """Return a mapping from each word for a command, without accents, to the English command."""
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
"""The words of each language besides English, by locale."""


def words_of(field: str) -> frozenset[str]:
    """Return the words in the field `field` of all languages' vocabularies, without accents."""
    return frozenset(word for each in VOCABULARIES.values() for word in without_marks(getattr(each, field)).split())
