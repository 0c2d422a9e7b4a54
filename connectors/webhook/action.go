package webhook

import (
	"strings"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// narrow is webhookAction for one connection: CloudEvents carry a
// type and a source, and JSON only.
func narrow(settings yamlnode.Node) lang.Action {
	action := newAction()
	if !settings.IsZero() {
		action.Outputs = outputsIn(settings.Get("outputs"))
	}
	if settings.Get("format").Text().Value != cloudEvents {
		return action
	}
	action.Inputs = append(action.Inputs,
		lang.Input{Name: "type", Doc: "The CloudEvent's type; the event's where left out.", Kind: lang.TextInput, NotEmpty: true, Default: `${{ event.type == "" ? "event" : event.type }}`},
		lang.Input{Name: "source", Doc: "The CloudEvent's source; the name of the event's source where left out.", Kind: lang.TextInput, NotEmpty: true, Default: `/${{ event.source }}`},
	)
	action.Check = func(n yamlnode.Node, given []yamlnode.Field) diag.List {
		if _, found := connectors.Field(given, "json"); !found {
			return diag.List{n.Diag("missing-key", "", "an action to a connection with format: cloudevents needs json")}
		}
		return checkAction(n, given)
	}
	return action
}

// outputsIn tells what is read from the answer to an action: what its own outputs
// say, or those of the connection.
func outputsIn(ofConnection yamlnode.Node) func([]yamlnode.Field) ([]string, bool) {
	return func(given []yamlnode.Field) ([]string, bool) {
		n := ofConnection
		if own, found := connectors.Field(given, "outputs"); found {
			n = own.Value
		}
		names := []string{}
		for _, f := range n.Fields() {
			names = append(names, f.Key.Value)
		}
		return names, true
	}
}

func checkOutputs(n yamlnode.Node) diag.List {
	_, list := connectors.ReadOutputs(lang.NewCompilerFor(connectors.AnswerNames()...), n)
	return list
}

func newAction() lang.Action {
	return lang.Action{
		Noun: "an action to a webhook",
		Inputs: []lang.Input{
			{Name: "json", Doc: "The body as JSON: any value; a leaf that is one ${{ }} keeps its type.", Kind: lang.ValueInput},
			{Name: "form", Doc: "The body as a URL-encoded form: names and texts.", Kind: lang.ValueInput, Check: connectors.CheckTexts},
			{Name: "body", Doc: "The body as text, as it is; content_type says what it is.", Kind: lang.TextInput},
			{Name: "content_type", Doc: "Content-Type of the body, in place of the usual one.", Kind: lang.TextInput, Check: connectors.CheckHeaderText},
			{Name: "method", Doc: "The method, in place of the connection's.", Kind: lang.TextInput, Check: checkMethodInput},
			{Name: "headers", Doc: "More headers: names and texts.", Kind: lang.ValueInput, Check: checkHeadersInput},
			{Name: "outputs", Doc: "What is read from the answer and kept with the delivery, in place of the connection's outputs: names, each with an expression over status, headers, body and text.", Kind: lang.ValueInput, Check: checkOutputs},
			{Name: "query", Doc: "Parameters added to the URL: names and texts.", Kind: lang.ValueInput, Check: connectors.CheckTexts},
		},
		Check: checkAction,
	}
}

// checkAction wants exactly one body, or a request that needs none.
func checkAction(n yamlnode.Node, given []yamlnode.Field) diag.List {
	var bodies []yamlnode.Field
	bodyless := false
	for _, f := range given {
		switch f.Key.Value {
		case "json", "form", "body":
			bodies = append(bodies, f)
		case "query":
			bodyless = true
		case "method":
			method := strings.ToUpper(f.Value.Text().Value)
			bodyless = bodyless || method == "GET" || method == "DELETE"
		}
	}
	switch {
	case len(bodies) == 0 && !bodyless:
		return diag.List{n.Diag("missing-key", "a request without a body has query, or method GET or DELETE", "an action to a webhook needs json, form or body")}
	case len(bodies) > 1:
		second := bodies[1].Key
		return diag.List{second.Diag("conflict", "keep one of json, form and body", "%q and %q are both the body", bodies[0].Key.Value, second.Value)}
	}
	return nil
}

func checkHeadersInput(n yamlnode.Node) diag.List {
	list := connectors.CheckTexts(n)
	for _, f := range n.Fields() {
		if reason := headerNameFault(f.Key.Value); reason != "" {
			list = append(list, f.Key.Diag("bad-header", "", "the header %q %s", f.Key.Value, reason))
		}
		list = append(list, connectors.CheckHeaderText(f.Value)...)
	}
	return list
}

func checkMethodInput(n yamlnode.Node) diag.List {
	if n.Kind() != yamlnode.Scalar || connectors.Templated(n) {
		return nil
	}
	return checkMethod(n.Text())
}
