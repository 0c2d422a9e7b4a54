package email

import (
	"fmt"
	"html"
	"net/textproto"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func newAction() lang.Action {
	return lang.Action{
		Noun: "an action to an email connection",
		Inputs: []lang.Input{
			{Name: "recipient", Doc: "Who gets it: an address, several with commas, or a list.", Kind: lang.ValueInput, Required: true, Escape: escapeAddress, Check: checkRecipients},
			{Name: "cc", Doc: "Who gets a copy.", Kind: lang.ValueInput, Escape: escapeAddress, Check: connectors.CheckAddresses},
			{Name: "bcc", Doc: "Who gets a copy without the others' seeing it.", Kind: lang.ValueInput, Escape: escapeAddress, Check: connectors.CheckAddresses},
			{Name: "reply_to", Doc: "Where answers go; a form's e-mail field, for one.", Kind: lang.ValueInput, Escape: escapeAddress, Check: connectors.CheckAddresses},
			{
				Name: "subject", Doc: "The subject, in one line; else what arrived, and where.", Kind: lang.TextInput, Escape: escapeHeader, Check: connectors.CheckHeaderText,
				Default: `${{ headline(event) }}`,
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
			{Name: "attachments", Doc: "Files of the form: ${{ data.brief }}, or a list.", Kind: lang.ValueInput, Check: connectors.CheckFiles},
		},
	}
}

// checkRecipients wants somebody to be named: a mail to nobody fails each time.
func checkRecipients(n yamlnode.Node) diag.List {
	list := connectors.CheckAddresses(n)
	if len(list) == 0 && !named(n) {
		list = append(list, n.Diag("empty-value", "write it like Ada <ada@example.com>", `"recipient" is empty: nobody would get the message`))
	}
	return list
}

// named reports whether n, or an item of it, is written.
func named(n yamlnode.Node) bool {
	return slices.ContainsFunc(n.Items(), named) || n.Kind() == yamlnode.Scalar && strings.TrimSpace(n.Text().Value) != ""
}

func checkMailHeaders(n yamlnode.Node) diag.List {
	list := connectors.CheckTexts(n)
	for _, f := range n.Fields() {
		if reason := mailHeaderFault(f.Key.Value); reason != "" {
			list = append(list, f.Key.Diag("bad-header", "", "the header %q %s", f.Key.Value, reason))
		}
		list = append(list, connectors.CheckHeaderText(f.Value)...)
		for _, item := range f.Value.Items() {
			list = append(list, connectors.CheckHeaderText(item)...)
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
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return "is not a valid header name"
	case len(name) > maxHeaderName:
		return fmt.Sprintf("has a name of more than %d characters", maxHeaderName)
	}
	return ""
}

// maxHeaderName leaves room for the colon on a line of 78 characters, which
// is how long one should be at most (RFC 5322, section 2.1.1).
const maxHeaderName = 76

// newReply is what a form's reply may hold. It has no default for the text:
// what a visitor typed must not go unseen to whatever address was typed along.
func newReply() lang.Action {
	reply := lang.Action{Noun: "an autoreply"}
	for _, in := range newAction().Inputs {
		switch in.Name {
		case "recipient": // an empty one is no fault: there is nobody to reply to
			in.Required, in.Check = false, connectors.CheckAddresses
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

// escapeAddress keeps a value from adding recipients. One that is an address,
// with or without a name, stays one; in any other the characters that separate
// and frame addresses become spaces.
func escapeAddress(text string) string {
	one, err := connectors.ParseOneAddress(text)
	if err != nil || one.Name == "" || unframed(one.Address) != one.Address {
		return unframed(text)
	}
	return unframed(one.Name) + " <" + one.Address + ">"
}

func unframed(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`,;:<>()[]"\`, r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}

// escapeHeader keeps a value in its line.
func escapeHeader(text string) string {
	if !strings.ContainsFunc(text, breaksLine) {
		return text
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if breaksLine(r) {
			return ' '
		}
		return r
	}, text))
}

// breaksLine reports whether a character ends a line somewhere, or is one that
// nobody sees.
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// isASCII reports whether an address can be sent without SMTPUTF8.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}
