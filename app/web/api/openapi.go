package api

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/jsonschema-go/jsonschema"

	"hookgate/app/admin"
	"hookgate/app/ingest/samples"
	"hookgate/internal/schema"
)

// operation is what the API's description says of a route.
type operation struct {
	route   string // GET /events/{id}
	summary string
	query   []string // the parameters that it takes
	body    any      // a value of the type that it reads; nil: none
	answer  any      // a value of the type that it answers with; nil: see media
	media   []string // the types of an answer that is no JSON; with answer: of a body
	status  int      // of the answer; 200 unless set
	acts    bool     // it changes something: not for those who may only look
	local   bool     // by the socket only
}

// described lists the routes, by resource. A test holds it to those that are
// registered, to the parameters that they take, and to what they answer.
var described = []operation{
	{
		route: "GET /events", summary: "List events, the newest first", answer: admin.Page[admin.Event]{},
		query: []string{"source", "type", "state", "rule", "connection", "delivery", "ordering_key", "since", "until", "where", "text", "before", "limit"},
	},
	{
		route: "GET /events/count", summary: "Count the newest events by day, 10,000 at most", answer: admin.EventCount{},
		query: []string{"source", "type", "state", "rule", "connection", "delivery", "ordering_key", "since", "until"},
	},
	{
		route: "GET /events/export", summary: "Export events as a file, the newest first: as CSV, or with what came in as a JSON object a line", media: []string{"text/csv", "application/x-ndjson"},
		query: []string{"source", "type", "state", "rule", "connection", "delivery", "ordering_key", "since", "until", "where", "text", "before", "limit", "format", "delimiter"},
	},
	{
		route: "POST /events/send", summary: "Take the body as if the source's sender had sent it", acts: true, status: http.StatusAccepted,
		query: []string{"source", "header", "fresh"}, media: []string{"*/*"}, answer: admin.Accepted{},
	},
	{
		route: "GET /events/stream", summary: "Follow what comes in, as server-sent events", media: []string{"text/event-stream"},
		query: []string{"source", "type", "state", "rule", "where", "text"},
	},
	{route: "GET /events/{id}", summary: "Show all that is kept of an event", answer: admin.EventDetail{}},
	{route: "POST /events/{id}/notspam", summary: "Give a kept form post to the rules", acts: true, status: http.StatusAccepted, answer: admin.Released{}},
	{route: "DELETE /events/{id}", summary: "Delete a form post for good, with its deliveries and files", acts: true, answer: admin.Erasure{}},
	{route: "POST /events/{id}/read", summary: "Note that a form post was read", acts: true, answer: admin.ReadMark{}},
	{route: "POST /events/{id}/unread", summary: "Have a form post be new again", acts: true, answer: admin.ReadMark{}},
	{route: "GET /events/{id}/notspam", summary: "Tell what would be sent if a kept form post were given to the rules", answer: admin.ReleasePlan{}},
	{route: "GET /samples/{name}", summary: "List what can be sent to a source or form to try it", answer: []samples.Sample{}},
	{route: "GET /sources", summary: "List sources and forms", answer: admin.Page[admin.Inbound]{}},
	{route: "POST /sources/{name}/url", summary: "Tell the URL to paste at the sender, with its secret", acts: true, answer: admin.Address{}},
	{route: "GET /sources/{name}/fields", summary: "Tell what the events of a source look like", answer: schema.Source{}},
	{route: "GET /forms", summary: "Count the posts of the forms", query: []string{"since"}, answer: admin.FormCounts{}},
	{route: "GET /forms/{name}/posts", summary: "List what a form got, without spam, the oldest first, with its data", query: []string{"since", "until", "after", "limit"}, answer: admin.Page[admin.Post]{}},
	{route: "GET /forms/{name}/files", summary: "List the files that a form got, those of the newest posts first", query: []string{"before", "limit"}, answer: admin.Page[admin.FormFile]{}},
	{route: "GET /forms/{name}/snippet", summary: "Write a form for a page of a website", query: []string{"kind", "lang"}, answer: admin.Snippet{}},
	{route: "GET /forms/{name}/fields", summary: "Tell what the posts of a form look like", answer: schema.Source{}},
	{route: "GET /files/{id}", summary: "Download a file of a form post", media: []string{"application/octet-stream"}},
	{
		route: "GET /deliveries", summary: "List deliveries, the newest first", answer: admin.Page[admin.Delivery]{},
		query: []string{"id", "state", "connection", "rule", "cause", "event", "since", "before", "limit", "rendered", "stale", "skip_overtaken", "order", "after"},
	},
	{
		route: "GET /deliveries/causes", summary: "Group deliveries by connection and error", answer: admin.Causes{},
		query: []string{"state", "connection", "rule", "since"},
	},
	{route: "GET /deliveries/runs", summary: "List retries that go step by step, the newest first", query: []string{"before", "limit", "left"}, answer: admin.Page[admin.RetryRun]{}},
	{route: "POST /deliveries/runs", summary: "Begin to send deliveries again, step by step", acts: true, status: http.StatusCreated, body: admin.RetryRequest{}, answer: admin.RetryRun{}},
	{route: "GET /deliveries/runs/{id}", summary: "Show a retry that goes step by step", answer: admin.RetryRun{}},
	{route: "POST /deliveries/runs/{id}/pause", summary: "Pause it", acts: true, answer: admin.RetryRun{}},
	{route: "POST /deliveries/runs/{id}/resume", summary: "Have one go on that was paused or halted", acts: true, answer: admin.RetryRun{}},
	{route: "POST /deliveries/runs/{id}/stop", summary: "End it", acts: true, answer: admin.RetryRun{}},
	{route: "GET /deliveries/{id}", summary: "Show a delivery with its attempts", answer: admin.Delivery{}},
	{route: "POST /deliveries/retry", summary: "Send deliveries again", acts: true, body: admin.Selection{}, answer: admin.Changed{}},
	{route: "POST /deliveries/cancel", summary: "Give deliveries up", acts: true, body: admin.Selection{}, answer: admin.Changed{}},
	{route: "GET /config", summary: "Read and check the configuration file as it stands now", answer: admin.ConfigFile{}},
	{route: "GET /config/change", summary: "Tell what a reload of it would change, judged by the last 30 days", answer: admin.ConfigChange{}},
	{route: "GET /config/versions", summary: "List the versions that were in force, the newest first", answer: admin.Page[admin.ConfigVersion]{}},
	{route: "GET /config/versions/{id}", summary: "Show a version, and how it differs from the one before", answer: admin.ConfigVersionDetail{}},
	{route: "GET /stats", summary: "Count what came in and went out", query: []string{"range"}, answer: admin.Statistics{}},
	{route: "GET /stats/quiet", summary: "List the sources that send nothing though they are used to", answer: admin.Page[admin.Quiet]{}},
	{route: "GET /connections", summary: "List connections and how they are", answer: admin.Page[admin.Connection]{}},
	{route: "GET /connections/{name}", summary: "Show a connection", answer: admin.Connection{}},
	{route: "POST /connections/{name}/pause", summary: "Hold what goes to a connection", acts: true, body: admin.Pausing{}, answer: admin.Connection{}},
	{route: "POST /connections/{name}/resume", summary: "Let what was held go", acts: true, body: admin.Resuming{}, answer: admin.Connection{}},
	{route: "POST /connections/{name}/test", summary: "Try a connection without an event", acts: true, body: TestRequest{}, answer: admin.Tested{}},
	{route: "POST /forget", summary: "Delete what is stored of a person, a part at a time", acts: true, body: admin.EraseRequest{}, answer: admin.Erased{}},
	{route: "GET /forget", summary: "List deletions of persons and of form posts, the newest first", query: []string{"before", "limit"}, answer: admin.Page[admin.Erasure]{}},
	{route: "GET /replays", summary: "List replays, the newest first", query: []string{"before", "limit"}, answer: admin.Page[admin.ReplayRun]{}},
	{route: "POST /replays", summary: "Begin to put stored events through today's rules", acts: true, status: http.StatusCreated, body: admin.ReplayRequest{}, answer: admin.ReplayRun{}},
	{route: "POST /replays/preview", summary: "Tell what a replay would do", body: admin.ReplayRequest{}, answer: admin.ReplayPreview{}},
	{route: "POST /replays/diff", summary: "Compare what rules make of stored events", body: admin.CompareRequest{}, answer: admin.Comparison{}},
	{route: "GET /replays/{id}", summary: "Show a replay", answer: admin.ReplayRun{}},
	{route: "POST /replays/{id}/step", summary: "Go on with a replay", acts: true, body: ReplayStep{}, answer: admin.ReplayRun{}},
	{route: "GET /tables", summary: "List the kept tables", answer: admin.Page[admin.Table]{}},
	{route: "GET /tables/{name}", summary: "List the records of a kept table, in the order of their keys", query: []string{"after", "limit"}, answer: admin.Page[admin.Record]{}},
	{route: "GET /tables/{name}/record", summary: "Show a record", query: []string{"key"}, answer: admin.Record{}},
	{route: "POST /tables/{name}/record", summary: "Set fields of a record", acts: true, query: []string{"key"}, body: admin.RecordChange{}, answer: admin.Record{}},
	{route: "DELETE /tables/{name}/record", summary: "Delete a record", acts: true, query: []string{"key"}, answer: admin.Removed{}},
	{route: "GET /digests", summary: "List the digests that are open, the first that closes first", answer: admin.Page[admin.Digest]{}},
	{route: "GET /digests/{id}", summary: "Show an open digest with the events in it", answer: admin.DigestDetail{}},
	{route: "POST /digests/{id}/send", summary: "Close a digest now", acts: true, answer: admin.Digest{}},
	{route: "POST /digests/{id}/cancel", summary: "Give a digest up: nothing is sent of the events in it", acts: true, answer: admin.Digest{}},
	{route: "GET /views", summary: "List the views of events that people keep, by name", answer: admin.Page[admin.View]{}},
	{route: "POST /views", summary: "Keep a view of events under a name, for all users of the pages", acts: true, body: admin.ViewRequest{}, answer: admin.View{}},
	{route: "DELETE /views", summary: "Delete a view", acts: true, query: []string{"name"}, answer: admin.View{}},
	{route: "POST /login-links", summary: "Make a link that logs in once", local: true, body: admin.LoginRequest{}, answer: admin.LoginLink{}},
	{route: "POST /tokens", summary: "Make a token", local: true, body: admin.TokenRequest{}, answer: admin.Token{}},
	{route: "GET /tokens", summary: "List tokens", local: true, answer: admin.Page[admin.Token]{}},
	{route: "DELETE /tokens/{id}", summary: "Revoke a token", local: true, answer: admin.Token{}},
	{route: "GET /rules", summary: "List rules with what they matched, what missed them by one condition, tests and findings", answer: admin.RuleList{}},
	{route: "POST /rules/try", summary: "Try a rule with another condition or other texts against what came in", body: admin.TryRequest{}, answer: admin.Tried{}},
	{route: "GET /status", summary: "Tell how the server is", answer: admin.Status{}},
	{route: "GET /replicas", summary: "List the processes that share the database", answer: admin.Replicas{}},
	{route: "POST /clock/accept", summary: "Say that the database's clock is right, so that what is scheduled goes on", acts: true, answer: admin.Clock{}},
	{route: "POST /reload", summary: "Read the configuration again", acts: true, answer: admin.Reloaded{}},
	{route: "POST /prune", summary: "Delete what retention no longer keeps", acts: true, query: []string{"dry_run"}, answer: admin.Pruned{}},
	{route: "GET /openapi.json", summary: "Describe the API, as OpenAPI 3.1", answer: map[string]any{}},
}

// parameterDocs say what a parameter of a query is; it means the same
// everywhere.
var parameterDocs = map[string]string{
	"source":         "only of this source or form",
	"type":           "only of this type",
	"state":          "only in these states; several, or separated by commas",
	"rule":           "only of this rule",
	"connection":     "only to this connection",
	"delivery":       "only those that have a delivery in one of these states",
	"ordering_key":   "only those of which a delivery has this ordering key",
	"cause":          "only of this cause, as /deliveries/causes names it",
	"event":          "only of the event with this id",
	"id":             "only those with these ids",
	"since":          "only after this time: RFC 3339, or how long ago, such as 24h or 7d",
	"until":          "only before this time, written as for since",
	"where":          "only those for which this expression of the rules' language holds",
	"text":           "only those that hold this text, in upper or lower case",
	"before":         "only those older than the one with this id: next of the page before",
	"name":           "what it is called",
	"after":          "only those after this key or place: next of the page before",
	"order":          "moment: what is scheduled, the next to go first",
	"kind":           "html, fetch, wordpress or cf7; html unless given",
	"lang":           "the language of the page, such as en or de; the form's unless given",
	"key":            "the key of the record",
	"limit":          "at most so many",
	"rendered":       "true: with what was sent",
	"skip_overtaken": "true: without those of whose ordering key a later one has arrived at the connection",
	"stale":          "true: what waits by a version of the configuration that is no longer in force",
	"left":           "true: those that have something left to send",
	"format":         "csv or ndjson; csv unless given",
	"delimiter":      "what parts the cells of CSV: , ; | or a tab; a comma unless given",
	"header":         "a header field, written as Name: value; may be given several times",
	"fresh":          "true: it is no repeat, whatever its id",
	"dry_run":        "true: only count",
	"range":          "of the last 1h, 24h, 7d or 30d; 24h unless given",
}

// describe answers GET /openapi.json.
func (h *handler) describe(c *fiber.Ctx) error {
	text, err := openAPI()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(text)
}

// openAPI is the description of the API, by OpenAPI 3.1.
var openAPI = sync.OnceValues(func() ([]byte, error) {
	paths := map[string]map[string]any{}
	for _, o := range described {
		method, path, _ := strings.Cut(o.route, " ")
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		description, err := o.describe(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.route, err)
		}
		paths[path][strings.ToLower(method)] = description
	}
	problem, err := schemaOf(Problem{})
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "hookgate", "version": "1",
			"description": "The administration API. Lists come in pages: next of one is before of the following. Faults are problem details (RFC 9457). Who asks too often is answered 429, with Retry-After.",
		},
		"servers": []any{map[string]any{"url": "/api/v1"}},
		"paths":   paths,
		"components": map[string]any{
			"securitySchemes": map[string]any{
				"token": map[string]any{"type": "http", "scheme": "bearer", "description": "as hookgate tokens create prints it"},
				"basic": map[string]any{"type": "http", "scheme": "basic", "description": "a user of server.admin"},
			},
			"schemas": map[string]any{"Problem": problem},
			"responses": map[string]any{"Problem": map[string]any{
				"description": "what is wrong, and what to do about it",
				"content":     map[string]any{problemType: map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/Problem"}}},
			}},
		},
		"security": []any{map[string]any{"token": []any{}}, map[string]any{"basic": []any{}}},
	}, "", " ")
})

// describe is the operation as OpenAPI's operation object.
func (o *operation) describe(path string) (map[string]any, error) {
	out := map[string]any{"summary": o.summary, "operationId": o.id()}
	switch {
	case o.local:
		out["description"] = "By the socket beside the database only."
	case o.acts:
		out["description"] = "Not for those who may only look."
	}
	var parameters []any
	for name := range strings.SplitSeq(path, "/") {
		if inner, ok := strings.CutPrefix(name, "{"); ok {
			parameters = append(parameters, map[string]any{
				"name": strings.TrimSuffix(inner, "}"), "in": "path", "required": true, "schema": map[string]any{"type": "string"},
			})
		}
	}
	for _, name := range o.query {
		parameters = append(parameters, map[string]any{
			"name": name, "in": "query", "description": parameterDocs[name], "schema": map[string]any{"type": "string"},
		})
	}
	if parameters != nil {
		out["parameters"] = parameters
	}
	if o.body != nil {
		body, err := schemaOf(o.body)
		if err != nil {
			return nil, err
		}
		out["requestBody"] = map[string]any{"content": content(body, fiber.MIMEApplicationJSON)}
	}
	answer := map[string]any{"description": "done"}
	switch {
	case o.answer != nil:
		body, err := schemaOf(o.answer)
		if err != nil {
			return nil, err
		}
		answer["content"] = content(body, fiber.MIMEApplicationJSON)
		if o.media != nil { // what it reads is no JSON
			out["requestBody"] = map[string]any{"required": true, "content": content(map[string]any{}, o.media...)}
		}
	case o.media != nil:
		answer["content"] = content(map[string]any{}, o.media...)
	}
	out["responses"] = map[string]any{
		strconv.Itoa(max(o.status, http.StatusOK)): answer,
		"default": map[string]any{"$ref": "#/components/responses/Problem"},
	}
	return out, nil
}

// id is the operation's name: get_events_id.
func (o *operation) id() string {
	return strings.ToLower(strings.Trim(strings.NewReplacer(" /", "_", "/", "_", "{", "", "}", "", ".", "_", "-", "_").Replace(o.route), "_"))
}

func content(schema any, media ...string) map[string]any {
	out := map[string]any{}
	for _, m := range media {
		out[m] = map[string]any{"schema": schema}
	}
	return out
}

// schemaOf is the schema of a type's JSON, made from the type.
func schemaOf(value any) (*jsonschema.Schema, error) {
	own := map[reflect.Type]*jsonschema.Schema{}
	findOwn(reflect.TypeOf(value), own, map[reflect.Type]bool{})
	s, err := jsonschema.ForType(reflect.TypeOf(value), &jsonschema.ForOptions{TypeSchemas: own})
	if err != nil {
		return nil, err
	}
	open(s)
	return s, nil
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
)

// findOwn finds the types below t that write their own JSON: a text, or
// anything.
func findOwn(t reflect.Type, own map[reflect.Type]*jsonschema.Schema, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch {
	case t == reflect.TypeFor[time.Time]():
		own[t] = &jsonschema.Schema{Type: "string", Format: "date-time"}
		return
	case t.Kind() != reflect.Pointer && t.Implements(textMarshaler):
		own[t] = &jsonschema.Schema{Type: "string"}
		return
	case t.Kind() != reflect.Pointer && t.Implements(jsonMarshaler):
		own[t] = &jsonschema.Schema{}
		return
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		findOwn(t.Elem(), own, seen)
	case reflect.Struct:
		for field := range t.Fields() {
			findOwn(field.Type, own, seen)
		}
		if s := nested(t, own); s != nil {
			own[t] = s
		}
	default:
	}
}

// nested is the schema of a struct that holds a list of its own kind, as the trace
// of a rule holds those of its elements: what is in the list holds none. nil where
// t is another type.
func nested(t reflect.Type, own map[reflect.Type]*jsonschema.Schema) *jsonschema.Schema {
	var rest []reflect.StructField
	name := ""
	for field := range t.Fields() {
		switch {
		case field.Type == reflect.SliceOf(t):
			name, _, _ = strings.Cut(field.Tag.Get("json"), ",")
		case field.IsExported():
			rest = append(rest, field)
		}
	}
	if name == "" {
		return nil
	}
	flat := func() *jsonschema.Schema {
		s, err := jsonschema.ForType(reflect.StructOf(rest), &jsonschema.ForOptions{TypeSchemas: own})
		if err != nil { // the document's own type says so, too
			return &jsonschema.Schema{}
		}
		return s
	}
	s := flat()
	if s.Properties != nil {
		s.Properties[name] = &jsonschema.Schema{Types: []string{"null", "array"}, Items: flat()}
	}
	return s
}

// open lets objects have more keys than are known today.
func open(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if len(s.Properties) > 0 {
		s.AdditionalProperties = nil
	}
	for _, inner := range slices.Concat(slices.Collect(maps.Values(s.Properties)), s.AnyOf, []*jsonschema.Schema{s.Items, s.AdditionalProperties}) {
		open(inner)
	}
}
