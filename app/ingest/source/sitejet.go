package source

import (
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// sitejetTypes are Sitejet's six account events, as its help page "Webhooks"
// lists them. Only website_status_changed has a published example there.
var sitejetTypes = []string{
	"website_created", "website_status_changed", "log_created",
	"todo_created", "website_todo_assignee_changed", "domain_created",
}

type sitejetKeys struct{ common }

// Noun implements yamlnode.Nouns.
func (*sitejetKeys) Noun() string { return "a sitejet source" }

// KeyHint implements yamlnode.Hinted.
func (*sitejetKeys) KeyHint(key string) string {
	switch key {
	case "verify", "secret":
		return "Sitejet signs nothing: its token in the URL is the key"
	case "event_type", "event_id":
		return "Sitejet's are known; for another sender write type: webhook"
	}
	return ""
}

// compileSitejet compiles a source of type sitejet. Sitejet documents neither
// an id nor a signature: the token is the only proof, and repeats can be told
// by their body alone, which is left to `dedupe: body 10m`, since a website
// may truly change there and back.
func compileSitejet(b *builder) {
	var keys sitejetKeys
	b.list = b.node.Decode("a sitejet source", &keys)
	b.shared(keys.common)
	b.source.types = sitejetTypes
	b.source.eventType = b.find(yamlnode.Text{}, "data.event")
	b.dedupe(keys.Dedupe)
	if b.node.Get("token").IsZero() {
		b.fail(b.needs("token", "Sitejet signs nothing, so the URL has to be secret; "+makeOne, "a sitejet source"))
	}
}

// needs is the error that a required key is missing.
func (b *builder) needs(key, hint, noun string) diag.Diagnostic {
	return yamlnode.MissingKey(b.node, key, hint, noun)
}
