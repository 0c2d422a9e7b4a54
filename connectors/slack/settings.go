package slack

import (
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// webAPI is where the Web API's methods are; it ends in a slash.
const webAPI = "https://slack.com/api/"

// settingsYAML is a slack connection as it is written.
type settingsYAML struct {
	WebhookURL event.Secret `yaml:"webhook_url" doc:"The address of an incoming webhook, which posts to its one channel. Either this or bot_token." example:"${SLACK_WEBHOOK_URL}"`
	BotToken   event.Secret `yaml:"bot_token" doc:"The token of a bot with the scope chat:write, and files:write for files; it posts to any channel it is in." example:"${SLACK_BOT_TOKEN}"`
	Channel    string       `yaml:"channel" doc:"Where a bot posts unless the action says so: #name or an ID." example:"#leads"`
	Username   string       `yaml:"username" doc:"The name to post under, unless the action has one." example:"Website"`
	IconEmoji  string       `yaml:"icon_emoji" doc:"The emoji to post under, unless the action has one." example:":bell:"`
	APIURL     event.Secret `yaml:"api_url" doc:"Another address of Slack's Web API: a proxy, or a stand-in for tests." default:"https://slack.com/api/" example:"https://slack-proxy.example/api/"`
}

// settings is a slack connection, checked. Either webhook or token is set.
type settings struct {
	webhook *url.URL
	token   string
	api     string

	channel, username, iconEmoji string
}

func (s *settings) bot() bool { return s.token != "" }

func (s *settings) secrets() []string {
	if s.bot() {
		return []string{s.token}
	}
	list := connectors.URLSecrets(s.webhook)
	// The last segments of hooks.slack.com/services/T…/B…/… are the key.
	segments := strings.Split(strings.Trim(s.webhook.Path, "/"), "/")
	return append(list, segments[max(0, len(segments)-1):]...)
}

func readSettings(n yamlnode.Node, deps connectors.Deps) (settings, diag.List) {
	var y settingsYAML
	list := n.Decode("a slack connection", &y, connectors.CommonKeys()...)
	s := settings{
		token: y.BotToken.Reveal(), api: webAPI,
		channel: y.Channel, username: y.Username, iconEmoji: y.IconEmoji,
	}
	hook, token := n.Get("webhook_url"), n.Get("bot_token")
	switch {
	case !hook.IsZero() && !token.IsZero():
		list = append(list, token.Diag("conflict", "keep one of them", "a slack connection has either webhook_url or bot_token, not both"))
	case hook.Kind() == yamlnode.Scalar:
		var faults diag.List
		s.webhook, faults = connectors.CheckURL(hook, y.WebhookURL, deps.Egress)
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
		base, faults := connectors.CheckURL(api, y.APIURL, deps.Egress)
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
