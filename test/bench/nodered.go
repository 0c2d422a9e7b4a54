package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
		got, err := b.sample(s, b.order(addr, "/in"), 2)
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

// writeFlow writes Node-RED's settings and its flow: a function of 20 conditions,
// each the counterpart of one of conditions, and a function and a post behind
// each of the two that match. JavaScript is the fastest that Node-RED offers;
// its own switch node with JSONata is several times slower.
func writeFlow(dir, addr, sink string) error {
	host, port := splitAddr(addr)
	settings := fmt.Sprintf("module.exports = { uiHost: %q, uiPort: %s, httpAdminRoot: false, logging: { console: { level: \"error\" } }, editorTheme: { tours: false } };\n", host, port)
	if err := os.WriteFile(filepath.Join(dir, "settings.js"), []byte(settings), 0o600); err != nil {
		return err
	}
	type node = map[string]any
	place := func(n node) node { // a node without a place counts as configuration
		n["z"], n["x"], n["y"] = "tab", 100, 100
		return n
	}
	wires := make([][]string, len(nodeConditions))
	for n := range wires {
		wires[n] = []string{} // null would not do
	}
	wires[0], wires[7] = []string{"body1"}, []string{"body2"}
	flow := []node{
		{"id": "tab", "type": "tab", "label": "bench"},
		place(node{"id": "in", "type": "http in", "url": "/in", "method": "post", "wires": [][]string{{"answer", "rules"}}}),
		place(node{"id": "ready", "type": "http in", "url": "/readyz", "method": "get", "wires": [][]string{{"answer"}}}),
		place(node{"id": "answer", "type": "http response", "statusCode": "200", "wires": [][]string{}}),
		place(node{
			"id": "rules", "type": "function", "outputs": len(nodeConditions), "wires": wires,
			"func": "const data = msg.payload; return [" + strings.Join(nodeConditions[:], ", ") + "].map(m => m ? {payload: data} : null);",
		}),
	}
	for _, n := range []string{"1", "2"} {
		flow = append(flow,
			place(node{"id": "body" + n, "type": "function", "outputs": 1, "wires": [][]string{{"post" + n}}, "func": "return {payload: {website_id: msg.payload.website.id, title: msg.payload.website.title, status: msg.payload.website.status, previous: msg.payload.previousStatus}};"}),
			place(node{"id": "post" + n, "type": "http request", "method": "POST", "ret": "txt", "url": "http://" + sink + "/" + n, "persist": true, "wires": [][]string{{}}}))
	}
	text, err := json.Marshal(flow)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "flows.json"), text, 0o600)
}

// nodeConditions are conditions in JavaScript.
var nodeConditions = [20]string{
	`data.event === "website_status_changed" && data.website.status === "Done"`,
	`data.event === "website_created"`,
	`data.event === "todo_created" && data.website.id > 1000`,
	`data.event === "log_created"`,
	`data.website.status === "Assign"`,
	`["Interest", "Preparation"].includes(data.website.status)`,
	`data.website.closed_by.role === "Designer"`,
	`data.previousStatus === "Publish" && data.website.closed_by.role === "Sales" && data.website.id > 1000`,
	`data.website.domain.endsWith(".de")`,
	`data.website.title.includes("Pizza")`,
	`data.event === "domain_created" || data.event === "website_todo_assignee_changed"`,
	`data.website.published_status === false`,
	`data.website.designed_by.id === 999`,
	`/.*@other\.com$/.test(data.website.serviced_by.email)`,
	`data.website.id < 1000`,
	`data.website.designed_by.email === "a@b.c"`,
	`data.website.status === "Done" && data.previousStatus === "Review"`,
	`data.website.following === true`,
	`data.website.designed_by.role === "Admin" && data.website.serviced_by.role === "Sales"`,
	`data.event.startsWith("billing_")`,
}
