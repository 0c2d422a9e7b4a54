package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/web/ui"
	"hookgate/connectors/all"
	"hookgate/internal/yamlnode"
)

// optionalSecrets are settings of kinds that can do without a secret, and so have
// none in their example.
var optionalSecrets = map[string]string{
	"kafka":   "    user: hookgate\n    password: ${KAFKA_PASSWORD}\n",
	"nats":    "    token: ${NATS_TOKEN}\n",
	"webhook": "    signing_secret: ${WEBHOOK_SECRET}\n",
}

// everyKind is a connection of each kind, as its example has it, with a canary for each
// variable; env has the values of those that are more than their canary. Nothing is
// sent to them: they are receivers in the world, and what an attempt may tell is the
// business of the connectors' conformance test.
func everyKind(t *testing.T, canaries, env map[string]string) string {
	t.Helper()
	var text strings.Builder
	for _, k := range all.Kinds() {
		connection, _, _ := strings.Cut(strings.TrimPrefix(k.Example, "connections:\n"), "rules:\n")
		connection += optionalSecrets[k.Name]
		if hasSecret(k.Settings) && !strings.Contains(connection, "${") {
			t.Errorf("nothing of %s is secret here", k.Name)
		}
		for _, m := range regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`).FindAllStringSubmatch(connection, -1) {
			name := m[1]
			canaries[name] = "canary-" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + "-0a7b3c-us21"
			switch {
			case strings.HasSuffix(name, "WEBHOOK_URL"):
				env[name] = "https://receiver.example/hook/" + canaries[name]
			case strings.HasSuffix(name, "SERVICE_ACCOUNT"):
				env[name], canaries[name] = serviceAccount(t)
			}
		}
		text.WriteString(connection)
	}
	return text.String()
}

// serviceAccount is an account of Google's, and a part of its key.
func serviceAccount(t *testing.T) (account, part string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	file, err := json.Marshal(map[string]string{"client_email": "a@b.example", "private_key": text, "private_key_id": "k"})
	if err != nil {
		t.Fatal(err)
	}
	return string(file), strings.Split(text, "\n")[5]
}

func hasSecret(settings []yamlnode.Spec) bool {
	return slices.ContainsFunc(settings, func(s yamlnode.Spec) bool { return s.Secret || hasSecret(s.Fields) })
}

// known are things that there are, for the parameters of routes.
type known struct {
	events, deliveries                             []string
	post, spam, file, digest, run, replay, version string
}

// idsOf asks the API what there is.
func idsOf(t *testing.T, get func(path string) (int, http.Header, string)) known {
	t.Helper()
	list := func(path, key string) (ids []string) {
		t.Helper()
		_, _, text := get("/api/v1" + path)
		items, _ := at(value(t, []byte(text)), "items").([]any)
		for _, item := range items {
			ids = append(ids, fmt.Sprint(at(item, key)))
		}
		if len(ids) == 0 {
			t.Fatalf("there is nothing in %s: %.300s", path, text)
		}
		return ids
	}
	return known{
		events: list("/events?limit=100", "id"), deliveries: list("/deliveries?limit=100", "id"),
		post: list("/events?source=contact&state=routed", "id")[0], spam: list("/events?state=spam", "id")[0],
		file: list("/forms/contact/files", "id")[0], digest: list("/digests", "id")[0],
		run: list("/deliveries/runs", "id")[0], replay: list("/replays", "id")[0], version: list("/config/versions", "id")[0],
	}
}

// addresses are those of all routes but the left ones: filled says what is asked for of
// a route that has a parameter, or needs a query to say something. Of each route there
// has to be an address or a reason.
func addresses(t *testing.T, routes []string, filled map[string][]string, left map[string]string) (paths []string) {
	t.Helper()
	for _, route := range routes {
		switch {
		case left[route] != "":
		case filled[route] != nil:
			paths = append(paths, filled[route]...)
		case strings.ContainsAny(route, ":{"):
			t.Errorf("%s is not looked at: it needs an address, or a reason", route)
		default:
			paths = append(paths, route)
		}
	}
	for route := range maps.Keys(filled) {
		if !slices.Contains(routes, route) || left[route] != "" {
			t.Errorf("%s is no route that is looked at", route)
		}
	}
	return paths
}

// each puts every part behind a path, or between two.
func each(before string, parts []string, after ...string) (paths []string) {
	for _, part := range parts {
		for _, end := range append([]string{""}, after...) {
			paths = append(paths, before+part+end)
		}
	}
	return paths
}

// pageRoutes are the routes of the pages that take the method.
func pageRoutes(method string) (routes []string) {
	app := fiber.New()
	ui.New(ui.Config{}).Register(app, func(c *fiber.Ctx) error { return c.Next() })
	for _, r := range app.GetRoutes(true) {
		if r.Method == method {
			routes = append(routes, r.Path)
		}
	}
	return routes
}

// unseenPages are those that are left out, and why.
var unseenPages = map[string]string{
	"/ui/static/:hash/:name":  "files that are built in, the same for every configuration",
	"/ui/live":                "never ends, and names events by their ids alone",
	"/ui/login/:once":         "asked for apart: it refuses what is no link",
	"/ui/login/oidc/callback": "asked for apart: it refuses what the provider did not send",
}

func pageAddresses(k known) map[string][]string {
	return map[string][]string{
		"/ui/connections/:name/test": {"/ui/connections/a/test"},
		"/ui/lang/:lang":             {"/ui/lang/en?to=/ui/"},
		"/ui/events":                 {"/ui/events", "/ui/events?q=good", "/ui/events?q=delivery%3Afailed"},
		"/ui/events/replay":          {"/ui/events/replay?q=source%3Atok", "/ui/events/replay?q=source%3Atok&how=all", "/ui/events/replay?q=delivery%3Afailed"},
		"/ui/events/export":          {"/ui/events/export", "/ui/events/export?q=source%3Atok+where:data.say+!%3D+nil"},
		"/ui/events/export/file":     {"/ui/events/export/file?format=csv", "/ui/events/export/file?format=ndjson"},
		"/ui/events/replays/:id":     {"/ui/events/replays/" + k.replay},
		"/ui/events/:id":             each("/ui/events/", k.events, "?tab=payload", "?tab=request", "?tab=replays"),
		"/ui/events/:id/body":        {"/ui/events/" + k.post + "/body"},
		"/ui/deliveries":             {"/ui/deliveries", "/ui/deliveries?state=failed", "/ui/deliveries?state=failed&by=time", "/ui/deliveries?state=scheduled&by=time"},
		"/ui/deliveries/retry":       {"/ui/deliveries/retry?state=failed", "/ui/deliveries/retry?state=failed&connection=header"},
		"/ui/deliveries/runs/:id":    {"/ui/deliveries/runs/" + k.run},
		"/ui/digests/:id":            {"/ui/digests/" + k.digest},
		"/ui/tables/:name":           {"/ui/tables/seen", "/ui/tables/seen?key=good"},
		"/ui/tables/:name/export":    {"/ui/tables/seen/export"},
		"/ui/config/versions/:id":    {"/ui/config/versions/" + k.version},
		"/ui/rules/alike":            {"/ui/rules/alike?rule=later&part=data.say"},
		"/ui/playground/patch":       {"/ui/playground/patch?rule=later&when=data.say+%21%3D+nil"},
		"/ui/forms/:form":            {"/ui/forms/contact", "/ui/forms/contact?q=ada", "/ui/forms/contact?post=" + k.post, "/ui/forms/guarded", "/ui/forms/quote", "/ui/forms/tally"},
		"/ui/forms/:form/spam":       {"/ui/forms/contact/spam", "/ui/forms/contact/spam?post=" + k.spam},
		"/ui/forms/post/:id/delete":  {"/ui/forms/post/" + k.post + "/delete"},
		"/ui/forms/:form/fields":     {"/ui/forms/contact/fields", "/ui/forms/quote/fields"},
		"/ui/forms/:form/files":      {"/ui/forms/contact/files"},
		"/ui/forms/:form/snippet":    {"/ui/forms/contact/snippet", "/ui/forms/guarded/snippet?kind=fetch", "/ui/forms/guarded/snippet?kind=wordpress", "/ui/forms/quote/snippet", "/ui/forms/tally/snippet"},
		"/ui/forms/:form/all":        {"/ui/forms/contact/all"},
		"/ui/forms/:form/export":     {"/ui/forms/contact/export", "/ui/forms/quote/export"},
		"/ui/forms/:form/export/file": {
			"/ui/forms/contact/export/file?format=csv", "/ui/forms/quote/export/file?format=csv",
		},
		"/ui/files/:id": {"/ui/files/" + k.file},
	}
}

// apiRoutes are the routes of the API that can be read, as its description has them.
func apiRoutes(t *testing.T, get func(path string) (int, http.Header, string)) (routes []string) {
	t.Helper()
	_, _, text := get("/api/v1/openapi.json")
	paths, _ := at(value(t, []byte(text)), "paths").(map[string]any)
	for path := range paths {
		if at(paths[path], "get") != nil {
			routes = append(routes, "/api/v1"+path)
		}
	}
	return routes
}

// unseenAnswers are those that are left out, and why.
var unseenAnswers = map[string]string{
	"/api/v1/events/stream": "never ends, and has what /events has",
	"/api/v1/tokens":        "not over HTTP: it is asked for by the command line",
}

func apiAddresses(k known) map[string][]string {
	const v1 = "/api/v1"
	return map[string][]string{
		v1 + "/events":                {v1 + "/events", v1 + "/events?text=good", v1 + "/events?where=data.say+!%3D+nil"},
		v1 + "/events/export":         {v1 + "/events/export", v1 + "/events/export?format=ndjson"},
		v1 + "/events/{id}":           each(v1+"/events/", k.events),
		v1 + "/events/{id}/notspam":   {v1 + "/events/" + k.spam + "/notspam"},
		v1 + "/samples/{name}":        {v1 + "/samples/tok", v1 + "/samples/signed", v1 + "/samples/quote", v1 + "/samples/tally"},
		v1 + "/sources/{name}/fields": {v1 + "/sources/tok/fields"},
		v1 + "/forms/{name}/posts":    {v1 + "/forms/contact/posts", v1 + "/forms/quote/posts"},
		v1 + "/forms/{name}/files":    {v1 + "/forms/contact/files"},
		v1 + "/forms/{name}/snippet":  {v1 + "/forms/contact/snippet", v1 + "/forms/guarded/snippet?kind=fetch"},
		v1 + "/forms/{name}/fields":   {v1 + "/forms/contact/fields"},
		v1 + "/files/{id}":            {v1 + "/files/" + k.file},
		v1 + "/deliveries":            {v1 + "/deliveries?rendered=true&limit=100", v1 + "/deliveries?stale=true"},
		v1 + "/deliveries/{id}":       each(v1+"/deliveries/", k.deliveries),
		v1 + "/deliveries/runs/{id}":  {v1 + "/deliveries/runs/" + k.run},
		v1 + "/config/versions/{id}":  {v1 + "/config/versions/" + k.version},
		v1 + "/connections/{name}":    each(v1+"/connections/", []string{"header", "hook", "bot", "oauth", "email", "amqp"}),
		v1 + "/replays/{id}":          {v1 + "/replays/" + k.replay},
		v1 + "/tables/{name}":         {v1 + "/tables/seen"},
		v1 + "/tables/{name}/record":  {v1 + "/tables/seen/record?key=good"},
		v1 + "/digests/{id}":          {v1 + "/digests/" + k.digest},
	}
}
