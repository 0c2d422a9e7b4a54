package connectors

import (
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// slackAPI is where the Web API's methods are; it ends in a slash.
const slackAPI = "https://slack.com/api/"

// slackYAML is a slack connection as it is written.
type slackYAML struct {
	WebhookURL event.Secret `yaml:"webhook_url" doc:"The address of an incoming webhook, which posts to its one channel. Either this or bot_token." example:"${SLACK_WEBHOOK_URL}"`
	BotToken   event.Secret `yaml:"bot_token" doc:"The token of a bot with the scope chat:write, and files:write for files; it posts to any channel it is in." example:"${SLACK_BOT_TOKEN}"`
	Channel    string       `yaml:"channel" doc:"Where a bot posts unless the action says so: #name or an ID." example:"#leads"`
	Username   string       `yaml:"username" doc:"The name to post under, unless the action has one." example:"Website"`
	IconEmoji  string       `yaml:"icon_emoji" doc:"The emoji to post under, unless the action has one." example:":bell:"`
	APIURL     event.Secret `yaml:"api_url" doc:"Another address of Slack's Web API: a proxy, or a stand-in for tests." default:"https://slack.com/api/" example:"https://slack-proxy.example/api/"`
}

// slackSettings is a slack connection, checked. Either webhook or token is set.
type slackSettings struct {
	webhook *url.URL
	token   string
	api     string

	channel, username, iconEmoji string
}

func (s *slackSettings) bot() bool { return s.token != "" }

func (s *slackSettings) secrets() []string {
	if s.bot() {
		return []string{s.token}
	}
	list := urlSecrets(s.webhook)
	// The last segments of hooks.slack.com/services/T…/B…/… are the key.
	segments := strings.Split(strings.Trim(s.webhook.Path, "/"), "/")
	return append(list, segments[max(0, len(segments)-1):]...)
}

func readSlackSettings(n yamlnode.Node, deps Deps) (slackSettings, diag.List) {
	var y slackYAML
	list := n.Decode("a slack connection", &y, CommonKeys()...)
	s := slackSettings{
		token: y.BotToken.Reveal(), api: slackAPI,
		channel: y.Channel, username: y.Username, iconEmoji: y.IconEmoji,
	}
	hook, token := n.Get("webhook_url"), n.Get("bot_token")
	switch {
	case !hook.IsZero() && !token.IsZero():
		list = append(list, token.Diag("conflict", "keep one of them", "a slack connection has either webhook_url or bot_token, not both"))
	case hook.Kind() == yamlnode.Scalar:
		var faults diag.List
		s.webhook, faults = checkURL(hook, y.WebhookURL, deps.Egress)
		list = append(list, faults...)
		list = append(list, checkWebhookOnly(n)...)
	case token.Kind() == yamlnode.Scalar:
		if s.token == "" || !httpguts.ValidHeaderFieldValue(s.token) {
			list = append(list, token.Diag("bad-value", "", `"bot_token" is empty or holds a line break`))
		}
	case hook.IsZero() && token.IsZero():
		list = append(list, n.Diag("missing-key", "webhook_url posts to one channel, bot_token to any", `a slack connection needs "webhook_url" or "bot_token"`))
	}
	if api := n.Get("api_url"); api.Kind() == yamlnode.Scalar {
		base, faults := checkURL(api, y.APIURL, deps.Egress)
		list = append(list, faults...)
		if base != nil {
			s.api = strings.TrimRight(base.String(), "/") + "/" // slack-go appends the method's name
		}
	}
	return s, list
}

// checkWebhookOnly refuses the settings that an incoming webhook cannot have.
func checkWebhookOnly(n yamlnode.Node) diag.List {
	var list diag.List
	if channel := n.Get("channel"); !channel.IsZero() {
		list = append(list, channel.Diag("conflict", "use bot_token to choose a channel", "an incoming webhook posts to its own channel only"))
	}
	if api := n.Get("api_url"); !api.IsZero() {
		list = append(list, api.Diag("conflict", "webhook_url is the whole address", `"api_url" goes with bot_token`))
	}
	return list
}

// narrowSlackAction is slackAction for one connection: an incoming webhook has
// no choice of channel, a bot without a channel of its own needs one.
func narrowSlackAction(settings yamlnode.Node) lang.Action {
	action := slackAction()
	general := action.Check
	bot := !settings.Get("bot_token").IsZero()
	hasChannel := !settings.Get("channel").IsZero()
	action.Check = func(n yamlnode.Node, given []yamlnode.Field) diag.List {
		list := append(general(n, given), checkBotKeys(given, bot)...)
		channel, found := field(given, "channel")
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
		if f, found := field(given, name); found && !bot {
			list = append(list, f.Key.Diag("conflict", hint, "%q is not possible with an incoming webhook", name))
		}
	}
	update, both := field(given, "update")
	if _, thread := field(given, "thread_key"); both && thread {
		list = append(list, update.Key.Diag("conflict", "keep one of them", `a message either answers in a thread or replaces another: "update" and "thread_key" do not go together`))
	}
	return list
}

func field(fields []yamlnode.Field, key string) (yamlnode.Field, bool) {
	for _, f := range fields {
		if f.Key.Value == key {
			return f, true
		}
	}
	return yamlnode.Field{}, false
}
