package source

import (
	"net/http"
	"slices"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

type webhookKeys struct {
	common
	Verify    yamlnode.Node `yaml:"verify" doc:"How requests prove that they come from the sender."`
	Challenge yamlnode.Node `yaml:"challenge" doc:"How the sender tries the URL before it sends events: such a request is answered, and is no event."`
	EventType yamlnode.Text `yaml:"event_type" doc:"Where the sender keeps the type of an event: an expression." type:"expression" example:"data.type"`
	EventID   yamlnode.Text `yaml:"event_id" doc:"The id by which repeats are recognised: an expression." type:"expression" example:"headers[\"webhook-id\"]"`
}

// Noun implements yamlnode.Nouns.
func (*webhookKeys) Noun() string { return "a webhook source" }

// KeyHint implements yamlnode.Hinted.
func (*webhookKeys) KeyHint(key string) string {
	switch key {
	case "secret", "secrets", "scheme", "signature", "signing_secret":
		return `it goes under "verify": verify: { scheme: …, secret: … }`
	}
	return ""
}

// compileWebhook compiles a source of type webhook: any sender, proven by a
// signature, a password, or a secret URL.
func compileWebhook(b *builder) {
	var keys webhookKeys
	b.list = b.node.Decode("a webhook source", &keys)
	b.shared(keys.common)
	var sender scheme
	if keys.Verify.IsZero() {
		if b.node.Get("token").IsZero() {
			b.fail(b.node.Diag("missing-key", `set verify: { scheme: …, secret: … }, or a token that makes the URL secret`,
				`a webhook source needs "verify" or "token": anyone could send to it`))
		}
	} else {
		sender = b.verify(keys.Verify)
	}
	b.source.sender, b.source.jsonField = sender.name, sender.jsonField
	b.handshake(keys.Challenge, sender)
	b.source.eventType = b.find(keys.EventType, sender.eventType)
	b.findID(keys.EventID, sender.ids)
	b.dedupe(keys.Dedupe)
	b.unsignedGet(keys)
}

// unsignedGet warns where a signature over the body cannot protect a GET,
// which has none: everything that it says is in its query.
func (b *builder) unsignedGet(keys webhookKeys) {
	_, signed := b.source.verify.(*hmacVerifier)
	if !signed || b.source.SignsURL() || !slices.Contains(b.source.methods, http.MethodGet) {
		return
	}
	i := slices.IndexFunc(keys.Methods, func(m yamlnode.Text) bool { return m.Value == http.MethodGet })
	warning := keys.Methods[i].Diag("unsigned-query", "leave GET out", "this scheme signs the body only: the query of a GET can be changed by others")
	warning.Severity = diag.Warning
	b.fail(warning)
}
