package connectors

import (
	"strings"
	"unicode/utf8"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Slack's limits on one message (docs.slack.dev, "Formatting message text" and
// "Blocks"), in characters and items. Text beyond maxSlackText would be cut.
const (
	maxSlackText    = 40_000
	maxSlackBlocks  = 50
	maxSectionText  = 3_000
	maxSectionField = 2_000
	maxFields       = 10
	maxHeaderText   = 150
)

func slackAction() lang.Action {
	return lang.Action{
		Noun: "an action to Slack",
		Inputs: []lang.Input{
			{Name: "text", Doc: "The message in Slack's mark-up; values are escaped.", Kind: lang.TextInput, Escape: escapeSlack, Check: checkSlackText, NotEmpty: true, Unless: []string{"blocks"}},
			{Name: "blocks", Doc: "Block Kit blocks; texts in values are escaped.", Kind: lang.ValueInput, Escape: escapeSlack, Check: checkSlackBlocks},
			{Name: "channel", Doc: "The channel, as #name or id; with a bot token only.", Kind: lang.TextInput},
			{Name: "thread_ts", Doc: "The timestamp of the message to answer to.", Kind: lang.TextInput},
			{Name: "thread_key", Doc: "Later messages with the same key answer in the thread of the first one; with a bot token only.", Kind: lang.TextInput},
			{Name: "update", Doc: "The message with the same key is replaced, if there is one; with a bot token only.", Kind: lang.TextInput},
			{Name: "mention", Doc: "People by their e-mail addresses, put before the text; with a bot token only.", Kind: lang.ValueInput, Check: checkAddresses},
			{Name: "files", Doc: "Files of the form, shown after the message: ${{ data.brief }}, or a list; with a bot token only.", Kind: lang.ValueInput, Check: checkSlackFiles},
			{Name: "username", Doc: "The name to post under.", Kind: lang.TextInput},
			{Name: "icon_emoji", Doc: "The emoji to post under, as :name:.", Kind: lang.TextInput},
		},
		Check: checkSlackAction,
	}
}

// The three characters that Slack gives a meaning, and how they are escaped.
var (
	slackEscaper   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	slackUnescaper = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// escapeSlack escapes the three characters that Slack gives a meaning, so that
// no value can name a channel, a user or a link (docs.slack.dev, "Escaping text").
func escapeSlack(text string) string {
	return slackEscaper.Replace(text)
}

// unescapeSlack undoes escapeSlack.
func unescapeSlack(text string) string {
	return slackUnescaper.Replace(text)
}

func checkSlackAction(n yamlnode.Node, given []yamlnode.Field) diag.List {
	_, text := field(given, "text")
	_, blocks := field(given, "blocks")
	if !text && !blocks {
		return diag.List{n.Diag("missing-key", "", "an action to Slack needs text or blocks")}
	}
	return nil
}

// checkSlackFiles checks the files that are certain before rendering.
func checkSlackFiles(n yamlnode.Node) diag.List {
	list := checkAttachments(n)
	if count := len(n.Items()); count > maxSlackFiles {
		list = append(list, n.Diag("too-long", "", "a Slack message has at most %d files here, this has %d", maxSlackFiles, count))
	}
	return list
}

// checkSlackText checks the part of a text that is certain before rendering.
func checkSlackText(n yamlnode.Node) diag.List {
	return checkLength(n, maxSlackText, "a text")
}

func checkLength(n yamlnode.Node, limit int, what string) diag.List {
	text := n.Text().Value
	if templated(text) || utf8.RuneCountInString(text) <= limit {
		return nil
	}
	return diag.List{n.Diag("too-long", "", "%s in Slack has at most %d characters, this has %d", what, limit, utf8.RuneCountInString(text))}
}

// checkSlackBlocks checks the limits that do not depend on values.
func checkSlackBlocks(n yamlnode.Node) diag.List {
	if n.Kind() == yamlnode.Scalar && templated(n.Text().Value) {
		return nil
	}
	if n.Kind() != yamlnode.List {
		return diag.List{n.Diag("wrong-type", "", `"blocks" must be a list`)}
	}
	var list diag.List
	items := n.Items()
	if len(items) > maxSlackBlocks {
		list = append(list, n.Diag("too-long", "", "a Slack message has at most %d blocks, this has %d", maxSlackBlocks, len(items)))
	}
	for _, block := range items {
		list = append(list, checkSlackBlock(block)...)
	}
	return list
}

func checkSlackBlock(block yamlnode.Node) diag.List {
	if block.Kind() == yamlnode.Scalar && templated(block.Text().Value) {
		return nil
	}
	kind := block.Get("type")
	if block.Kind() != yamlnode.Map || kind.Kind() != yamlnode.Scalar {
		return diag.List{block.Diag("missing-key", "", `a block needs "type"`)}
	}
	text := block.Get("text").Get("text")
	switch kind.Text().Value {
	case "header":
		return checkLength(text, maxHeaderText, "a header block")
	case "section":
		list := checkLength(text, maxSectionText, "a section block")
		fields := block.Get("fields").Items()
		if len(fields) > maxFields {
			list = append(list, block.Get("fields").Diag("too-long", "", "a section block has at most %d fields, this has %d", maxFields, len(fields)))
		}
		for _, f := range fields {
			list = append(list, checkLength(f.Get("text"), maxSectionField, "a field of a section block")...)
		}
		return list
	}
	return nil
}
