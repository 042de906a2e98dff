"""What the book leaves out, as rows: a law or a habit, where it stands, and why one client cannot judge it.

With the rules these are all that is known to matter of the surfaces that are served, so coverage is a number. A row
leaves when a probe finds a way to see what it speaks of.
"""

from dataclasses import dataclass

WHATWG = "https://html.spec.whatwg.org/multipage/server-sent-events.html"
OPENAI = "https://platform.openai.com/docs/api-reference"
ANTHROPIC = "https://docs.anthropic.com/en/api"
RFC9110 = "https://www.rfc-editor.org/rfc/rfc9110"
RFC9112 = "https://www.rfc-editor.org/rfc/rfc9112"
RFC9113 = "https://www.rfc-editor.org/rfc/rfc9113"


@dataclass(frozen=True, slots=True)
class NotTested:
    """One law or habit that no rule judges. `id` is of the form of a rule's, and names none."""

    id: str
    cites: str
    law: str
    why: str

    @property
    def chapter(self) -> str:
        return self.id.partition(".")[0]


NOT_TESTED = (
    # --- transport and HTTP
    NotTested(
        "transport.disconnect",
        "client abort, RFC 9110 section 9.3.3 leaves it open",
        "A client that leaves ends the work behind the relay, and is billed no further.",
        "What goes on behind the relay shows in no answer to the client that left; only a bill or the upstream tells.",
    ),
    NotTested(
        "transport.h2-reset",
        f"{RFC9113}#section-5.4.2",
        "A stream of HTTP/2 is not reset in mid-body.",
        "The suite speaks HTTP/1.1, where framing can be read byte by byte; a relay behind TLS may offer both.",
    ),
    NotTested(
        "transport.rare-cuts",
        f"{RFC9112}#section-8",
        "No answer is cut off, however rarely.",
        "A cut is found where it happens. One in ten thousand takes more requests than a check sends.",
    ),
    NotTested(
        "http.idempotent-get",
        f"{RFC9110}#section-9.2.2",
        "The same GET gives the same task each time.",
        "Of the surfaces that are served none has a task; the list of models may change between two requests.",
    ),
    NotTested(
        "http.any-body-limit",
        f"{RFC9110}#section-15.5.14",
        "A body above the limit is refused with 413, whatever the limit is.",
        "The limit is the relay's own. A rule asks at one size; finding the limit would send hundreds of megabytes.",
    ),
    NotTested(
        "http.forbidden",
        f"{RFC9110}#section-15.5.4",
        "A user who is banned, or whose group or address is not let in, is refused with 403 in the envelope.",
        "One key of good standing cannot be made a banned one.",
    ),
    # --- server-sent events
    NotTested(
        "sse.split",
        f"{WHATWG}#event-stream-interpretation",
        "A character, a line end or a token of JSON may be split over network pieces; readers join the bytes first.",
        "A duty of clients. The suite's own reader is tested on every split; a relay's reader sits behind it.",
    ),
    NotTested(
        "sse.comments-ignored",
        f"{WHATWG}#parsing-an-event-stream",
        "Comments are ignored by whoever reads a stream.",
        "A duty of clients, and of the relay towards its upstream: passed on as data they are found as broken JSON.",
    ),
    NotTested(
        "sse.keep-alive-while-thinking",
        f"{WHATWG}#authoring-notes",
        "A comment comes every 15 seconds or so while the model is silent.",
        "A model that thinks for minutes cannot be ordered. Silences that do happen are measured, see sse.silence.",
    ),
    # --- chat
    NotTested(
        "chat.model-is-genuine",
        f"{OPENAI}/chat/create#chat-create-model",
        "The model that answers is the one that was named.",
        "An answer has no proof of its maker: what a model knows, or how it counts, is evidence at best, "
        "and accuses the honest. Only what the answer calls itself is judged.",
    ),
    NotTested(
        "chat.sensible",
        f"{OPENAI}/chat/object",
        "The joined text is a sensible and full answer to what was asked.",
        "What is sensible is the model's affair and a reader's judgement.",
    ),
    NotTested(
        "chat.service-tier",
        f"{OPENAI}/chat/object#chat-object-service_tier",
        "service_tier says by which tier the request was in truth served.",
        "The value is checked by the schema; whether it is true shows in the bill alone.",
    ),
    NotTested(
        "chat.fingerprint",
        f"{OPENAI}/chat/object#chat-object-system_fingerprint",
        "system_fingerprint changes where the backend did.",
        "The backend cannot be seen.",
    ),
    NotTested(
        "chat.reasoning-effort",
        f"{OPENAI}/chat/create#chat-create-reasoning_effort",
        "reasoning_effort makes the model think less or more.",
        "How much a model thinks varies from request to request by more than the setting does.",
    ),
    NotTested(
        "chat.sampling",
        f"{OPENAI}/chat/create#chat-create-temperature",
        "temperature, top_p and the penalties shape the choice of words.",
        "A distribution takes thousands of answers, and no two models share one.",
    ),
    NotTested(
        "chat.refusal-joined",
        f"{OPENAI}/chat/streaming#chat-streaming-choices",
        "The pieces of a refusal join to its text, and the content is empty beside it.",
        "Judged where it comes (chat.refusal). A model cannot be made to refuse without asking for what is forbidden.",
    ),
    NotTested(
        "chat.content-filter",
        f"{OPENAI}/chat/object#chat-object-choices",
        "An answer that a filter cut off ends with content_filter.",
        "It would take a prompt that a filter stops, which may cost the user the account.",
    ),
    # --- usage
    NotTested(
        "usage.billed",
        f"{OPENAI}/usage",
        "What is billed is what usage says, for answers that broke off as well.",
        "The relay's ledger is behind an account's own interface, another in each family of relays.",
    ),
    NotTested(
        "usage.cached-tokens",
        f"{OPENAI}/chat/object#chat-object-usage-prompt_tokens_details",
        "cached_tokens are those that the cache in truth served.",
        "The cache cannot be seen; that the number is no larger than the prompt is judged.",
    ),
    # --- errors
    NotTested(
        "errors.quota",
        "https://platform.openai.com/docs/guides/error-codes",
        "A key without money is refused with 429 or 402 and insufficient_quota.",
        "It takes a key without money, or the spending of one. A check that meets it stops and says so.",
    ),
    NotTested(
        "errors.overloaded",
        "https://platform.openai.com/docs/guides/error-codes",
        "An upstream that fails or is overloaded is told as 502, 503, 504 or 529 in the envelope.",
        "The upstream cannot be made to fail from outside. What fails by itself is judged by the same rules.",
    ),
    NotTested(
        "errors.no-answer-billed",
        f"{OPENAI}/usage",
        "An answer that failed is not billed.",
        "The relay's ledger is behind an account's own interface.",
    ),
    # --- models
    NotTested(
        "models.usable",
        f"{OPENAI}/models/list",
        "Every model of the list can be called, and every model that can be called is listed.",
        "Calling all of them costs money for each; those that the user names are called.",
    ),
    NotTested(
        "models.anthropic-list",
        f"{ANTHROPIC}/models-list",
        "With Claude's headers the list of models has Claude's shape.",
        "Many relays serve one shape for all and say so; the document of this version has OpenAI's.",
    ),
    NotTested(
        "models.gemini-list",
        "https://ai.google.dev/api/models",
        "With Google's key header the list of models has Google's shape.",
        "The surface of Gemini is not served by the document of this version.",
    ),
    # --- completions and embeddings
    NotTested(
        "completions.echo-logprobs",
        f"{OPENAI}/completions/create#completions-create-echo",
        "With echo and logprobs the tokens of the prompt have log probabilities too.",
        "Few models that are served still have it, and nothing tells a refusal from a lack.",
    ),
    NotTested(
        "embeddings.meaning",
        f"{OPENAI}/embeddings/object",
        "Texts of like meaning have like vectors.",
        "What is alike is the model's affair.",
    ),
    NotTested(
        "embeddings.too-many",
        f"{OPENAI}/embeddings/create#embeddings-create-input",
        "More than 2048 inputs are refused with 400.",
        "Vendors set other limits, and a relay that takes more does more than it must: the request costs real tokens.",
    ),
    # --- video by chat
    NotTested(
        "video.progress-apart",
        "no standard",
        "The progress of a job does not stand in the answer's text.",
        "The chat form of video has no other place for it: all relays of the kind write it there.",
    ),
    NotTested(
        "video.whole",
        "no standard",
        "Without stream the answer is the finished link, or a clear error.",
        "A job takes minutes and money, and silence until its end is what proxies cut.",
    ),
    # --- Claude's messages
    NotTested(
        "messages.signature-valid",
        f"{ANTHROPIC}/messages-streaming",
        "The signature of a thinking block is the vendor's own.",
        "The key that it is made with is the vendor's; that there is one is judged.",
    ),
    NotTested(
        "messages.paused",
        f"{ANTHROPIC}/messages",
        "A long turn may stop with pause_turn, and goes on where it is sent back.",
        "Only tools that run at the vendor pause a turn, and they cost by the call.",
    ),
    NotTested(
        "messages.cache-control",
        f"{ANTHROPIC}/messages",
        "A prompt that is marked for caching is read from the cache the next time.",
        "Prompts below a thousand tokens are not cached, and when longer ones are is the vendor's own.",
    ),
)
"""In the order of the chapters."""
