package connectors

import (
	"html"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func emailAction() lang.Action {
	return lang.Action{
		Noun: "an action to an email connection",
		Inputs: []lang.Input{
			{Name: "recipient", Doc: "Who gets it: an address, several with commas, or a list.", Kind: lang.ValueInput, Required: true, Escape: escapeAddress, Check: checkAddresses},
			{Name: "cc", Doc: "Who gets a copy.", Kind: lang.ValueInput, Escape: escapeAddress, Check: checkAddresses},
			{Name: "bcc", Doc: "Who gets a copy without the others' seeing it.", Kind: lang.ValueInput, Escape: escapeAddress, Check: checkAddresses},
			{Name: "reply_to", Doc: "Where answers go; a form's e-mail field, for one.", Kind: lang.ValueInput, Escape: escapeAddress, Check: checkAddresses},
			{
				Name: "subject", Doc: "The subject, in one line; else what arrived, and where.", Kind: lang.TextInput, Escape: escapeHeader, Check: checkHeaderText,
				Default: `${{ event.type == "form_submitted" ? "New message" : event.type }} (${{ event.source }})`,
			},
			{
				Name: "text", Doc: "The message as plain text; without text and html, all that arrived.", Kind: lang.TextInput,
				NotEmpty: true, Default: `${{ fields(data) }}`, Unless: []string{"html"},
			},
			{
				Name: "html", Doc: "The message as HTML; values are escaped.", Kind: lang.TextInput, Escape: html.EscapeString,
				NotEmpty: true, Default: `${{ raw(fields(data, "html")) }}`, Unless: []string{"text"},
			},
			{Name: "headers", Doc: "More headers: names and texts.", Kind: lang.ValueInput, Escape: escapeHeader, Check: checkMailHeaders},
			{Name: "attachments", Doc: "Files of the form: ${{ data.brief }}, or a list.", Kind: lang.ValueInput, Check: checkAttachments},
		},
	}
}

// checkAddresses checks the addresses that are certain before rendering.
func checkAddresses(n yamlnode.Node) diag.List {
	if n.Kind() == yamlnode.Map {
		return diag.List{n.Diag("wrong-type", "write it like Ada <ada@example.com>", "%q must be an address or a list of addresses", keyName(n))}
	}
	var list diag.List
	for _, item := range n.Items() {
		if nested(item) {
			list = append(list, item.Diag("wrong-type", "", "an entry of %q must be an address", keyName(n)))
			continue
		}
		list = append(list, checkAddresses(item)...)
	}
	text := n.Text()
	if n.Kind() != yamlnode.Scalar || templated(text.Value) {
		return list
	}
	for _, one := range splitAddresses(text.Value) {
		if _, err := parseAddress(one); err != nil {
			list = append(list, text.Diag("bad-address", "write it like Ada <ada@example.com>", "%q is no address: %s", strings.TrimSpace(one), err))
		}
	}
	return list
}

func checkMailHeaders(n yamlnode.Node) diag.List {
	list := checkTexts(n)
	for _, f := range n.Fields() {
		if reason := mailHeaderFault(f.Key.Value); reason != "" {
			list = append(list, f.Key.Diag("bad-header", "", "the header %q %s", f.Key.Value, reason))
		}
		list = append(list, checkHeaderText(f.Value)...)
		for _, item := range f.Value.Items() {
			list = append(list, checkHeaderText(item)...)
		}
	}
	return list
}

// mailHeaderFault says why a header cannot be set, "" when it can: it has a key
// of its own, or it frames or identifies the message.
func mailHeaderFault(name string) string {
	switch key := textproto.CanonicalMIMEHeaderKey(name); key {
	case "Cc", "Bcc", "Subject":
		return "has a key of its own: " + strings.ToLower(key)
	case "To":
		return "has a key of its own: recipient"
	case "Reply-To":
		return "has a key of its own: reply_to"
	case "From", "Sender", "Return-Path":
		return "cannot be set: it follows from the connection's from"
	case "Date", "Message-Id", "Received", "Dkim-Signature":
		return "cannot be set: hookgate or the mail server sets it"
	default:
		if strings.HasPrefix(key, "Content-") || key == "Mime-Version" {
			return "cannot be set: it follows from the message"
		}
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return "is not a valid header name"
	}
	return ""
}

func checkAttachments(n yamlnode.Node) diag.List {
	const hint = "write ${{ data.brief }}, with the name of the form's file field"
	if n.Kind() == yamlnode.Map || (n.Kind() == yamlnode.Scalar && !templated(n.Text().Value)) {
		return diag.List{n.Diag("wrong-type", hint, "%q must be files of the form", keyName(n))}
	}
	var list diag.List
	for _, item := range n.Items() {
		list = append(list, checkAttachments(item)...)
	}
	return list
}

// emailReply is what a form's reply may hold. It has no default for the text:
// what a visitor typed must not go unseen to whatever address was typed along.
func emailReply() lang.Action {
	reply := lang.Action{Noun: "an autoreply"}
	for _, in := range emailAction().Inputs {
		switch in.Name {
		case "recipient": // an empty one is no fault: there is nobody to reply to
			in.Required = false
		case "reply_to":
		case "subject", "text", "html":
			in.Default = ""
		case "headers": // RFC 3834, section 5, and what Exchange goes by
			in.Default = `${{ {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"} }}`
		default:
			continue
		}
		reply.Inputs = append(reply.Inputs, in)
	}
	return reply
}
