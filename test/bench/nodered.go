package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// nodeREDVersion is the compared release; it runs on Node.js 18 and later.
const nodeREDVersion = "4.1.1"

// measureNodeRED measures Node-RED with the same load, the same 20 conditions
// and the same two posts. It answers at once and stores nothing. It is
// installed by npm into the user's cache, outside the repository.
func (b *bench) measureNodeRED() error {
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	script, err := installNodeRED()
	if err != nil {
		return err
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "node-red")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeFlow(dir, addr, b.sink.addr); err != nil {
		return err
	}
	s, err := start(addr, "/readyz", []string{"NODE_ENV=production"}, "node", script,
		"--userDir", dir, "--settings", filepath.Join(dir, "settings.js"), filepath.Join(dir, "flows.json"))
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	for range b.rounds {
		got, err := b.sample(s, b.order(addr, "/in"), true)
		if err != nil {
			return err
		}
		b.node = append(b.node, got)
	}
	return nil
}

func installNodeRED() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "hookgate-bench", "node-red-"+nodeREDVersion)
	script := filepath.Join(dir, "node_modules", "node-red", "red.js")
	if _, err := os.Stat(script); err == nil {
		return script, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	fmt.Fprintln(os.Stderr, "installing Node-RED into", dir)
	cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--omit=dev", "--prefix", dir, "node-red@"+nodeREDVersion)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w\n%s", err, out)
	}
	return script, nil
}

// writeFlow writes Node-RED's settings and its flow: a switch of 20 rules, each
// the counterpart of one of conditions, with JSONata where a plain comparison
// does not do, and a template and a post behind each of the two that match.
func writeFlow(dir, addr, sink string) error {
	host, port := splitAddr(addr)
	settings := fmt.Sprintf("module.exports = { uiHost: %q, uiPort: %s, httpAdminRoot: false, logging: { console: { level: \"error\" } }, editorTheme: { tours: false } };\n", host, port)
	if err := os.WriteFile(filepath.Join(dir, "settings.js"), []byte(settings), 0o600); err != nil {
		return err
	}
	type node = map[string]any
	var wires [][]string
	var rules []node
	for n, condition := range nodeConditions {
		rules = append(rules, node{"t": "jsonata_exp", "v": condition, "vt": "jsonata"})
		wire := []string{}
		if n == 0 {
			wire = []string{"body1"}
		} else if n == 7 {
			wire = []string{"body2"}
		}
		wires = append(wires, wire)
	}
	flow := []node{
		{"id": "tab", "type": "tab", "label": "bench"},
		{"id": "in", "type": "http in", "z": "tab", "url": "/in", "method": "post", "wires": [][]string{{"answer", "switch"}}},
		{"id": "ready", "type": "http in", "z": "tab", "url": "/readyz", "method": "get", "wires": [][]string{{"answer"}}},
		{"id": "answer", "type": "http response", "z": "tab", "statusCode": "200", "wires": [][]string{}},
		{"id": "switch", "type": "switch", "z": "tab", "property": "payload", "propertyType": "msg", "rules": rules, "checkall": "true", "outputs": len(rules), "wires": wires},
	}
	for _, n := range []string{"1", "2"} {
		flow = append(flow,
			node{"id": "body" + n, "type": "function", "z": "tab", "outputs": 1, "wires": [][]string{{"post" + n}}, "func": "return {payload: {website_id: msg.payload.website.id, title: msg.payload.website.title, status: msg.payload.website.status, previous: msg.payload.previousStatus}};"},
			node{"id": "post" + n, "type": "http request", "z": "tab", "method": "POST", "ret": "txt", "url": "http://" + sink + "/" + n, "persist": true, "wires": [][]string{{}}})
	}
	text, err := json.Marshal(flow)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "flows.json"), text, 0o600)
}

// nodeConditions are conditions in Node-RED's expression language, JSONata.
var nodeConditions = [20]string{
	`payload.event = "website_status_changed" and payload.website.status = "Done"`,
	`payload.event = "website_created"`,
	`payload.event = "todo_created" and payload.website.id > 1000`,
	`payload.event = "log_created"`,
	`payload.website.status = "Assign"`,
	`payload.website.status in ["Interest", "Preparation"]`,
	`payload.website.closed_by.role = "Designer"`,
	`payload.previousStatus = "Publish" and payload.website.closed_by.role = "Sales" and payload.website.id > 1000`,
	`$substring(payload.website.domain, -3) = ".de"`,
	`$contains(payload.website.title, "Pizza")`,
	`payload.event = "domain_created" or payload.event = "website_todo_assignee_changed"`,
	`payload.website.published_status = false`,
	`payload.website.designed_by.id = 999`,
	`$contains(payload.website.serviced_by.email, /@other\.com$/)`,
	`payload.website.id < 1000`,
	`payload.website.designed_by.email = "a@b.c"`,
	`payload.website.status = "Done" and payload.previousStatus = "Review"`,
	`payload.website.following = true`,
	`payload.website.designed_by.role = "Admin" and payload.website.serviced_by.role = "Sales"`,
	`$substring(payload.event, 0, 8) = "billing_"`,
}
