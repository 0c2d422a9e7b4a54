package slack

import (
	"strings"
	"unicode/utf8"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// narrow is slackAction for one connection: an incoming webhook has
// no choice of channel, a bot without a channel of its own needs one.
func narrow(settings yamlnode.Node) lang.Action {
	action := newAction()
	general := action.Check
	bot := !settings.Get("bot_token").IsZero()
	hasChannel := !settings.Get("channel").IsZero()
	action.Check = func(n yamlnode.Node, given []yamlnode.Field) diag.List {
		list := append(general(n, given), checkBotKeys(given, bot)...)
		channel, found := connectors.Field(given, "channel")
		switch {
		case found && !bot:
			list = append(list, channel.Key.Diag("conflict", "leave it out, or use a connection with bot_token", "an incoming webhook posts to its own channel only"))
		case !found && bot && !hasChannel:
			list = append(list, n.Diag("missing-key", "set it here or on the connection", `an action to Slack as a bot needs "channel"`))
		}
		return list
	}
	return action
}

// checkBotKeys refuses what an incoming webhook cannot do, and two keys of
// which one would have no effect.
func checkBotKeys(given []yamlnode.Field, bot bool) diag.List {
	var list diag.List
	for _, name := range []string{"thread_key", "update", "mention", "files"} {
		hint := "use a connection with bot_token"
		if name == "files" {
			hint += "; the bot needs the scope files:write"
		}
		if f, found := connectors.Field(given, name); found && !bot {
			list = append(list, f.Key.Diag("conflict", hint, "%q is not possible with an incoming webhook", name))
		}
	}
	update, both := connectors.Field(given, "update")
	if _, thread := connectors.Field(given, "thread_key"); both && thread {
		list = append(list, update.Key.Diag("conflict", "keep one of them", `a message either answers in a thread or replaces another: "update" and "thread_key" do not go together`))
	}
	return list
}

// Slack's limits on one message (docs.slack.dev, "Formatting message text" and
// "Blocks"), in characters and items. Text beyond maxSlackText would be cut.
const (
	maxText         = 40_000
	maxBlocks       = 50
	maxSectionText  = 3_000
	maxSectionField = 2_000
	maxFields       = 10
	maxHeaderText   = 150
)

func newAction() lang.Action {
	return lang.Action{
		Noun: "an action to Slack",
		Inputs: []lang.Input{
			{Name: "text", Doc: "The message in Slack's mark-up; values are escaped.", Kind: lang.TextInput, Escape: connectors.EscapeAngles, Check: checkText, NotEmpty: true, Unless: []string{"blocks"}},
			{Name: "blocks", Doc: "Block Kit blocks; texts in values are escaped.", Kind: lang.ValueInput, Escape: escapeBlock, Check: checkBlocks},
			{Name: "channel", Doc: "The channel, as #name or id; with a bot token only.", Kind: lang.TextInput},
			{Name: "thread_ts", Doc: "The timestamp of the message to answer to.", Kind: lang.TextInput},
			{Name: "thread_key", Doc: "Later messages with the same key answer in the thread of the first one; with a bot token only.", Kind: lang.TextInput},
			{Name: "update", Doc: "The message with the same key is replaced, if there is one; with a bot token only.", Kind: lang.TextInput},
			{Name: "mention", Doc: "People by their e-mail addresses, put before the text; with a bot token only.", Kind: lang.ValueInput, Check: connectors.CheckAddresses},
			{Name: "files", Doc: "Files of the form, shown after the message: ${{ data.brief }}, or a list; with a bot token only.", Kind: lang.ValueInput, Check: checkFiles},
			{Name: "username", Doc: "The name to post under.", Kind: lang.TextInput},
			{Name: "icon_emoji", Doc: "The emoji to post under, as :name:.", Kind: lang.TextInput},
		},
		Check: checkAction,
	}
}

// escapeBlock is for texts in blocks, of which those of type "markdown" also know
// links behind words in brackets.
func escapeBlock(text string) string { return connectors.EscapeAngles(connectors.KeepLinks(text)) }

func checkAction(n yamlnode.Node, given []yamlnode.Field) diag.List {
	_, text := connectors.Field(given, "text")
	_, blocks := connectors.Field(given, "blocks")
	if !text && !blocks {
		return diag.List{n.Diag("missing-key", "", "an action to Slack needs text or blocks")}
	}
	if written := n.Get("text"); text && !blocks && written.Kind() == yamlnode.Scalar && strings.TrimSpace(written.Text().Value) == "" {
		return diag.List{written.Diag("empty-value", "write what the message says", "the text of a message to Slack is empty")}
	}
	return nil
}

// checkFiles checks the files that are certain before rendering.
func checkFiles(n yamlnode.Node) diag.List {
	list := connectors.CheckFiles(n)
	if count := len(n.Items()); count > maxFiles {
		list = append(list, n.Diag("too-long", "", "a Slack message has at most %d files here, this has %d", maxFiles, count))
	}
	return list
}

// checkText checks the part of a text that is certain before rendering.
func checkText(n yamlnode.Node) diag.List {
	return checkLength(n, maxText, "a text")
}

func checkLength(n yamlnode.Node, limit int, what string) diag.List {
	text := n.Text().Value
	if connectors.Templated(n) || utf8.RuneCountInString(text) <= limit {
		return nil
	}
	return diag.List{n.Diag("too-long", "", "%s in Slack has at most %d characters, this has %d", what, limit, utf8.RuneCountInString(text))}
}

// checkBlocks checks the limits that do not depend on values.
func checkBlocks(n yamlnode.Node) diag.List {
	if connectors.Templated(n) {
		return nil
	}
	if n.Kind() != yamlnode.List {
		return diag.List{n.Diag("wrong-type", "", `"blocks" must be a list`)}
	}
	var list diag.List
	items := n.Items()
	if len(items) > maxBlocks {
		list = append(list, n.Diag("too-long", "", "a Slack message has at most %d blocks, this has %d", maxBlocks, len(items)))
	}
	for _, block := range items {
		list = append(list, checkBlock(block)...)
	}
	return list
}

func checkBlock(block yamlnode.Node) diag.List {
	if connectors.Templated(block) {
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
