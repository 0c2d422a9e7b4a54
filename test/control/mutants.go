package main

// Mutant is one break, and the test that must notice it.
type Mutant struct {
	Name    string // what is broken, as the documentation says it
	Package string // the folder of the test
	Test    string // a function of it
	Edits   []Edit
}

// Edit replaces a text of a file, which it must have once; with All, each of
// them.
type Edit struct {
	File, Old, New string
	All            bool
}

// in is one Edit.
func in(file, before, after string) []Edit { return []Edit{{File: file, Old: before, New: after}} }

// all is one Edit of each place.
func all(file, before, after string) []Edit {
	return []Edit{{File: file, Old: before, New: after, All: true}}
}

// Mutants are the breaks, by subject.
var Mutants = []Mutant{
	// What is kept.
	{
		"a commit does not compare the records that an event was judged by", "db", "TestRecords_interleavings",
		in("internal/event/record.go", "if r := &e.Reads[i]; r.Compare && !r.Is(b[r.RecordKey]) {", "if r := &e.Reads[i]; false && r.Compare {"),
	},
	{
		"of several who keep a view of one name at once the last one's holds", "db", "TestViews_atOnce",
		in("db/views.go", "WHERE CAST(?6 AS bigint) = 1 OR", "WHERE CAST(?6 AS bigint) >= 0 OR"),
	},
	{
		"of several who pause a connection at once the last one's holds", "db", "TestSwitch_atOnce",
		in("db/pause.go", "AND (CAST(?9 AS bigint) = 0 OR", "AND (CAST(?9 AS bigint) >= 0 OR"),
	},
	{
		"an event is acknowledged before its commit", "test/faults", "TestFlushBeforeAnswer",
		in("db/ops.go", "	err = <-op.done\n	duplicateOf = op.duplicateOf\n", "	if err == nil {\n		return 0, nil\n	}\n	err = <-op.done\n	duplicateOf = op.duplicateOf\n"),
	},
	{
		"SQLite commits without a flush (synchronous=NORMAL)", "test/faults", "TestFlushBeforeAnswer",
		in("db/sqlite.go", "_synchronous=FULL", "_synchronous=NORMAL"),
	},
	{
		"a file is not flushed before its post is acknowledged", "test/faults", "TestFlushBeforeAnswer_upload",
		in("app/ingest/files/upload.go", "	err := b.file.Sync()\n", "	err := error(nil)\n"),
	},
	{
		"the name of a file is not flushed before its post is acknowledged", "test/faults", "TestFlushBeforeAnswer_upload",
		in("app/ingest/upload.go", "if err := upload.Sync(); err != nil {", "if err := error(nil); err != nil {"),
	},
	{
		"after a failed flush the process goes on", "test/faults", "TestFsyncError",
		in("db/sqlite.go", "	case sqlite3.ErrIoErrFsync, sqlite3.ErrIoErrDirFsync:\n		return faultFatal\n", "	case sqlite3.ErrIoErrFsync, sqlite3.ErrIoErrDirFsync:\n		return faultUnavailable\n"),
	},
	{
		"retention deletes what is undelivered", "db", "TestPrune",
		all("db/retention.go", "state IN (0, 2, 4)", "state IN (9)"),
	},
	{
		"what follows a result is not noted in its commit", "db", "TestFollow",
		in("db/sqlite_commit.go", "if d.Flow&event.Followed != 0 { // the key's next one goes when what follows is made", "if d.Flow&event.Followed != 0 && e == nil {"),
	},
	{
		"what comes after others is made whatever has become of them", "rules", "TestFollow",
		in("rules/steps.go", "ready = ready && met", "ready = ready || met"),
	},
	{
		"what is remembered after a step is written whether or not it was", "db", "TestFollow_remember",
		in("db/follow.go", "	if err != nil || !made {", "	if err != nil || !made && d.Record == nil {"),
	},
	{
		"a replica that does not know the words of the rules is not looked for", "test/faults", "TestReplicas_older",
		in("app/language.go", "r.Language >= need.Language", "r.Language >= 0"),
	},
	{
		"what ended anew since a timer was read is taken for dealt with", "db", "TestFollow_byHand",
		in("db/follow.go", "count = timers.count + 1`", "count = timers.count`"),
	},
	{
		"a timer is not compared: who comes second opens a scheduled delivery, too", "db", "TestOpenMoments",
		in("db/moments.go", "if err != nil || !taken {", "if err != nil || (!taken && false) {"),
	},
	{
		"a schedule's timer is not compared: each replica makes an event of a tick", "app/schedule", "TestTicker",
		in("db/ticks.go", "AND count = ?2 AND due = ?3", "AND (TRUE OR count = ?2 AND due = ?3)"),
	},
	{
		"a scheduled delivery keeps the place of its event among those of its key", "db", "TestOpenMoments_orderingKey",
		in("db/moments.go", "SET turn = `+s.dialect.nextTurn+`, state", "SET state"),
	},
	{
		"what is scheduled goes an hour before its moment", "test/faults", "TestMomentsKilled",
		in("db/timers.go", `now = c.value(micros(s.now()))`, `now = c.value(micros(s.now().Add(time.Hour)))`),
	},
	{
		"a moment is judged by the rules in force, not by those that accepted its event", "test/faults", "TestMomentsReloaded",
		in("app/admin/rulesets.go", "	set, _, err := s.ruleSet(ctx, plan)\n	return set, err", "	_, _, err := s.ruleSet(ctx, plan)\n	return &s.inForce().Plan.RuleSet, err"),
	},
	{
		"the database's clock is not compared with the time that has passed", "app/planner", "TestClock",
		in("app/planner/clock.go", "ahead <= jump ||", "ahead > 0 ||"),
	},
	{
		"a due time that a wrong clock has put years ahead stays", "test/faults", "TestClockJumps",
		in("db/bulk.go", "s.stored(at, horizon))", "s.stored(at, horizon.AddDate(100, 0, 0)))"),
	},
	{
		"the sweep takes a file that is just coming in for an orphan", "app/ingest/files", "TestSweep",
		in("app/ingest/files/sweep.go", "!ValidID(id) || d.isPending(id)", "!ValidID(id)"),
	},

	// Once, and in order.
	{
		"a throttle counts nothing (SQLite)", "test/faults", "TestKillLoop_throttle",
		in("db/once.go", "WHERE dedupe.expires <= ?5 OR dedupe.count < ?6", "WHERE ?6 = ?6"),
	},
	{
		"a throttle does not write how many have gone (PostgreSQL)", "db", "TestOnce_times",
		in("db/postgres_accept.go", "m.count != m.before || m.count == 0", "m.count == 0"),
	},
	{
		"what comes after a delivery counts from a time that is not known yet (PostgreSQL)", "db", "TestFollow_time",
		in("db/postgres_accept.go", "VALUES ($1, 5, $2, $3, now_us(), 0, NULL)` + followsAgain", "VALUES ($1, 5, $2, $3, 0, 0, NULL)` + followsAgain"),
	},
	{
		"what is accepted overtakes what comes after a delivery of its key (SQLite)", "db", "TestFollow_meanwhile",
		in("db/sqlite_commit.go", "OR ` + keyFollowed + `?1 || '/' || ?2)`", "OR ?2 = ''`"),
	},
	{
		"what is accepted overtakes what comes after a delivery of its key (PostgreSQL)", "db", "TestFollow_meanwhile",
		in("db/postgres_commit.go", "OR `+keyFollowed+`k.connection || '/' || k.key)`", "OR k.key = ''`"),
	},
	{
		"what comes after a digest's time joins it (SQLite)", "db", "TestGather",
		in("db/digests.go", "WHERE timers.due > ?8 AND", "WHERE ?8 = ?8 AND"),
	},
	{
		"what joins a digest late is not seen when it is closed", "db", "TestGather_joined",
		in("db/timers.go", "DELETE FROM timers WHERE id = ?1 AND count = ?2 AND due = ?3", "DELETE FROM timers WHERE id = ?1 AND (TRUE OR count = ?2 AND due = ?3)"),
	},
	{
		"a stale result is stored (SQLite)", "db", "TestRecord_stale",
		all("db/sqlite_commit.go", "WHERE id = ?1 AND claim = ?2 AND state = 0", "WHERE id = ?1 AND ?2 = ?2 AND state = 0"),
	},
	{
		"a stale result is stored (PostgreSQL)", "db", "TestRecord_stale",
		all("db/postgres_result.go", "d.claim = r.claim", "r.claim = r.claim"),
	},
	{
		"a result of another process is stored (PostgreSQL)", "db", "TestRecord_stale",
		[]Edit{
			{File: "db/postgres_result.go", Old: "if r.delivery.Owner != w.tx.at.owner {", New: "if r.delivery == nil {"},
			{File: "db/postgres_result.go", Old: "d.owner + 0 = $9`", New: "$9::bigint = $9::bigint`"},
			{File: "db/postgres_result.go", Old: "d.owner + 0 = $11", New: "$11::bigint = $11::bigint"},
		},
	},
	{
		"a repeat is a new event", "db", "TestAccept_duplicate",
		in("db/ops.go", "	if e.Dedupe != nil {", "	if e.Dedupe == nil {"),
	},
	{
		"a delivery overtakes an open one with its key (SQLite)", "db", "TestOrderingKey",
		in("db/sqlite_commit.go", "{ taken = true; return nil }", "{ return nil }"),
	},
	{
		"a key's next delivery is the newest (SQLite)", "db", "TestOrderingKey",
		in("db/sqlite_commit.go", "ORDER BY coalesce(turn, id) LIMIT 1", "ORDER BY coalesce(turn, id) DESC LIMIT 1"),
	},
	{
		"the end of a delivery does not let its key go on (SQLite)", "db", "TestOrderingKey",
		in("db/sqlite_commit.go", "	if d.Key != \"\" {\n		r.next, err = e.promote", "	if d.Key == \"?\" {\n		r.next, err = e.promote"),
	},

	// Delivery.
	{
		"a wake-up is lost: what overflowed waits for the next poll", "app/deliver", "TestWake",
		in("app/deliver/dispatcher.go", "	if l := lanes[connection]; l != nil {\n		l.poll()\n", "	if l := lanes[connection]; l != nil {\n		_ = l\n"),
	},
	{
		"one that is left in the store sends all after it there", "app/deliver", "TestPoll_room",
		in("app/deliver/lane.go", "func (l *lane) poll() {\n", "func (l *lane) poll() {\n	l.behind.Store(true)\n"),
	},
	{
		"a wake-up is lost: room in memory is not used", "app/deliver", "TestSlowConnection_holdsUpNoOther",
		in("app/deliver/lane.go", "worth {\n		l.poll()\n", "worth {\n		_ = worth\n"),
	},
	{
		"Retry-After is not a minimum", "app/deliver", "TestPolicy_Next",
		in("app/deliver/policy.go", "return max(delay, min(after, maxRetryAfter)), true", "return delay, true"),
	},
	{
		"a delay does not vary", "app/deliver", "TestPolicy_Next",
		in("app/deliver/policy.go", "float64(delay) * (1 - jitter + 2*jitter*random)", "float64(delay)"),
	},
	{
		"a delivery that makes a connector panic ends the process", "app/deliver", "TestRetry_ends",
		in("app/deliver/work.go", "if p := recover(); p != nil {", "if p := any(nil); p != nil {"),
	},
	{
		"a permanent answer is tried again", "test/e2e", "TestWhatIsRetried",
		in("connectors/answer.go", "	if !Transient(a.Status) {", "	if a.Status == 0 {"),
	},
	{
		"the breaker never opens", "app/deliver", "TestBreaker",
		in("app/deliver/breaker.go", "if b.failures++; b.failures < breakAfter {", "if b.failures++; b.failures > 0 {"),
	},
	{
		"what failed in an outage is not sent when it is over", "app/deliver", "TestBreaker_sendsWhatFailedOnceItCloses",
		in("app/deliver/lane.go", "if err := l.deps.store.Hasten(l.name); err != nil {", "if err := error(nil); err != nil {"),
	},
	{
		"a stop breaks off what is being sent", "app/deliver", "TestStop_finishesWhatIsUnderWay",
		in("app/deliver/lane.go", "	w.stop()\n", "	w.stop()\n	w.abort()\n"),
	},
	{
		"a configuration whose tests fail is used", "app/cli", "TestReload_failingTest",
		in("app/reload.go", "	if err == nil {\n		err = a.swap(loaded, tests)\n", "	if loaded != nil {\n		err = a.swap(loaded, tests)\n"),
	},
	{
		"a version of the rules lacks those of included files", "app", "TestVersion_include",
		in("app/config/load.go", "if part, has := rulePart(f); has {", "if part, has := rulePart(f); has && i == 0 {"),
	},
	{
		"a file that comes and is included is not noticed", "app/config", "TestParts",
		in("app/config/watched.go", "matches && (i > 0 || !hidden(path, pattern))", "matches && i > 0"),
	},
	{
		"a name that two files give is taken from the first", "app/config", "TestLoad_includeFaults",
		in("app/config/names.go", "if other.noun != noun || other.at.File != f.Key.Pos().File {", "if other.noun != noun {"),
	},

	// Bounds.
	{
		"deliveries in memory are bounded by number alone", "app/deliver", "TestMemory_isBoundedInBytes",
		in("app/deliver/memory.go", "own > 0 && own+n > m.share(connection)", "own < 0"),
	},
	{
		"a claim reads any number of bytes", "db", "TestClaim_bytes",
		in("db/claims.go", "count > 0 && size > bytes", "count > 0 && size < 0"),
	},
	{
		"what rules render takes no memory", "app/ingest", "TestMemory_grows",
		in("app/ingest/ingest.go", "r.grow(rendered(d))", "r.grow(0*rendered(d))"),
	},
	{
		"texts of an upload take no memory", "internal/body", "TestReadUpload_grows",
		in("internal/body/stream.go", "g.grow(copies * int64(n))", "g.grow(0)"),
	},
	{
		"half-read bodies are not counted", "app/web", "TestBodyMemory",
		in("app/web/listen.go", "if c.held.Load() > small &&", "if c.held.Load() < 0 &&"),
	},
	{
		"what it takes to understand a body is not counted", "app/web", "TestUnderstandingIsBounded",
		in("app/web/listen.go", "case h.budget.held.Add(n) > h.budget.bound(weight):", "case h.budget.held.Add(n) < 0:"),
	},
	{
		"a compressed body weighs what it is on the wire", "internal/body", "TestWeigh",
		in("internal/body/weigh.go", `	if in.ContentEncoding == "" {`, `	if in.ContentEncoding != "?" {`),
	},
	{
		"a parser that has grown is kept", "internal/jsondoc", "TestParse_keepsLittle",
		in("internal/jsondoc/doc.go", "if cap(d.nodes) <= keepNodes {", "if cap(d.nodes) >= 0 {"),
	},
	{
		"gzip is unpacked without a limit", "test/faults", "TestBombs",
		in("internal/body/encoding.go", "io.ReadAll(io.LimitReader(reader, lim.Size+1))", "io.ReadAll(reader)"),
	},
	{
		"a JSON text may hold any number of values", "internal/jsondoc", "TestParse_refuses",
		in("internal/jsondoc/parse.go", "p.values > maxValues", "p.values < 0"),
	},
	{
		"what an event's rules send is not bounded", "rules", "TestMatch_outputsAreBounded",
		in("rules/match.go", "min(lang.MaxOutput, *room))", "1<<40)"),
	},
	{
		"an address may have any number of connections", "app/web", "TestConnectionsPerAddress",
		in("app/web/shares.go", " || !trusted && own >= share", " || own < 0 && own >= share"),
	},
	{
		"there may be any number of connections", "app/web", "TestConnectionsAltogether",
		in("app/web/shares.go", "s.taken >= s.most || ", ""),
	},
	{
		"an address may have any number of uploads", "app/web", "TestUpload_slots",
		in("app/web/body.go", "if !s.uploads.take(from, false) {", "if s.uploads.take(from, false); from.Is6() {"),
	},
	{
		"an upload that stops coming is waited for", "app/web", "TestUpload_slow",
		in("app/web/body.go", "return u, ctx.Conn().SetReadDeadline(time.Now().Add(u.patience))", "return u, ctx.Conn().SetReadDeadline(time.Now().Add(time.Hour))"),
	},
	{
		"any byte gives an upload more time", "app/web", "TestUpload_dribble",
		in("app/web/body.go", "if u.due -= n; u.due <= 0 && err == nil {", "if u.due -= n; err == nil {"),
	},
	{
		"a request may take any time to come", "app/web", "TestSlowLoris",
		in("app/web/server.go", "ReadTimeout:                  s.cfg.Limits.ReadTimeout,", "ReadTimeout:                  1000 * s.cfg.Limits.ReadTimeout,"),
	},
	{
		"a source may have any number of requests under way", "app/ingest", "TestTraffic_isBounded",
		in("app/ingest/traffic.go", "f.underWay.Add(1) > maxOfSource", "f.underWay.Add(1) < 0"),
	},
	{
		"there may be any number of requests under way", "app/ingest", "TestTraffic_isBounded",
		in("app/ingest/traffic.go", "t.total.Add(1) > maxUnderWay", "t.total.Add(1) < 0"),
	},
	{
		"a form has no quota", "app/ingest", "TestQuotas",
		in("app/ingest/quota.go", "if q.used[what]+n > limit {", "if q.used[what]+n < 0 {"),
	},
	{
		"files are taken on a disk that is nearly full", "test/faults", "TestDiskFloor",
		in("app/ingest/quota.go", "err == nil && free < minFree", "err == nil && free < 0"),
	},
	{
		"a visitor may post as often as he likes", "app/web", "TestFormRateLimit",
		in("app/web/ratelimit.go", "if !r.OK() || wait > 0 {", "if !r.OK() {"),
	},
	{
		"a form replies to any number of strangers", "app/ingest", "TestReplyLimits",
		in("app/ingest/autoreply.go", "	return of.AllowN(now, 1)\n", "	return of.AllowN(now, 1) || of != nil\n"),
	},

	// Who may.
	{
		"a private address is connected to", "internal/egress", "TestRefused_forms",
		in("internal/egress/egress.go", " Control: c.guard.control,", ""),
	},
	{
		"an address within NAT64 is not looked into", "internal/egress", "TestCheck_allowed",
		in("internal/egress/guard.go", "if ssrf.IPv6NAT64Prefix.Contains(addr) {", "if ssrf.IPv6NAT64Prefix.Contains(addr) && addr.Is4() {"),
	},
	{
		"a redirect is followed", "internal/egress", "TestRedirect",
		in("internal/egress/egress.go", "error { return http.ErrUseLastResponse }", "error { return nil }"),
	},
	{
		"a proxy of the environment dials in our place", "internal/egress", "TestNoProxyFromEnvironment",
		in("internal/egress/egress.go", "Proxy:                  nil,", "Proxy:                  http.ProxyFromEnvironment,"),
	},
	{
		"the headers of an answer are read without a bound", "internal/egress", "TestHeaderLimit",
		in("internal/egress/egress.go", "		MaxResponseHeaderBytes: MaxHeaderBytes,\n", ""),
	},
	{
		"mail goes to a private address", "connectors/email", "TestEmail_addressGuard",
		in("internal/egress/egress.go", " Control: c.guard.control,", ""),
	},
	{
		"a forged signature is good", "app/ingest/source", "TestPublishedVectors",
		in("app/ingest/source/hmac.go", "matched = hmac.Equal(signature, sum) || matched", "matched = len(signature) == len(sum) || matched"),
	},
	{
		"a recorded webhook can be sent again", "app/ingest/source", "TestTolerance",
		in("app/ingest/source/hmac.go", "	case off > v.Tolerance:", "	case off > 1000*v.Tolerance:"),
	},
	{
		"anybody can say which address a request comes from", "app/web", "TestForwardedFor",
		in("app/web/proxy.go", "	if !s.trusts(ip) {\n		return ip\n	}\n	values", "	if !ip.IsValid() {\n		return ip\n	}\n	values"),
	},
	{
		"a form is posted to from any website", "app/web", "TestFormOrigins",
		in("app/web/forms.go", "if !f.AllowsOrigin(", "if origin == \"?\" && !f.AllowsOrigin("),
	},
	{
		"a page acts without its token", "test/e2e", "TestUIActs",
		in("app/web/ui/session.go", "!looks(c) && !validCSRF(secret,", "secret == \"?\" && !validCSRF(secret,"),
	},
	{
		"a page of another origin uses the API", "app/web", "TestLogin",
		in("app/web/api/service.go", `return origin != "" &&`, `return origin == "?" &&`),
	},
	{
		"a page of another site uses the API", "app/web", "TestLogin",
		in("app/web/api/service.go", "	default:\n		return true\n", "	default:\n		return false\n"),
	},
	{
		"the API takes a body that any form can send", "app/web", "TestAPI_takesJSONOnly",
		in("app/web/api/service.go", "if err != nil || kind != fiber.MIMEApplicationJSON {", "if err != nil && kind != \"\" {"),
	},
	{
		"a session outlives its password", "app/admin/access", "TestSession_passwordChanged",
		in("app/admin/access/access.go", "known && hmac.Equal(s.Fingerprint, u.fingerprint(secret))", "known"),
	},
	{
		"a login leads to another site's path", "app/web", "TestPages_backAfterLogin",
		in("app/web/ui/session.go", "err != nil || !strings.EqualFold(page.Host, string(c.Context().Host()))", "err != nil"),
	},
	{
		"passwords can be tried without end", "app/admin/access", "TestPassword_lockout",
		in("app/admin/access/lockout.go", "over := f.count - freeFailures; over >= 0", "over := f.count - freeFailures; over >= 1<<20"),
	},
	{
		"the title of an event is markup", "test/e2e", "TestUINothingRuns",
		[]Edit{
			{File: "app/web/ui/page.go", Old: "// T is text in", New: "// Raw is markup.\nfunc (v *view) Raw(s string) template.HTML { return template.HTML(s) }\n\n// T is text in"},
			{File: "app/web/ui/templates/parts/parts.html", Old: "{{$v.Title1 .}}</a>{{with $v.Title2 .}}", New: "{{$v.Raw ($v.Title1 .)}}</a>{{with $v.Title2 .}}"},
		},
	},
	{
		"the whole URL of a request is kept", "connectors", "TestRequestLine",
		in("connectors/exchange.go", "		default:\n			b.WriteString(leftOut)\n", "		default:\n			b.WriteString(segment)\n"),
	},
	{
		"what was sent again meanwhile is rendered again", "db", "TestRerender",
		in("db/rerender.go", "WHERE id = ?1 AND claim = ?2 AND state = 2 RETURNING id", "WHERE id = ?1 AND ?2 >= 0 RETURNING id"),
	},
	{
		"a replay of what is unfinished sends what was delivered", "app", "TestReplay_unfinished",
		in("app/replay/unfinished.go", "	case found && b.State == event.Delivered:\n", "	case !found && b.State == event.Delivered:\n"),
	},
	{
		"connections are in use before the rules at a start", "app", "TestAlerts_failedAtStart",
		in("app/reload.go", "	plan := *loaded\n", "	a.dispatcher.Update(connections)\n	plan := *loaded\n"),
	},
	{
		"the answer to another browser's login at the provider logs in", "test/e2e", "TestOIDC_attempts",
		in("app/admin/access/oidc.go", "if attempt.State == \"\" || attempt.State != answer.State {", "if answer.State == \"\" {"),
	},
	{
		"a provider's token for another login is good", "test/e2e", "TestOIDC_forged",
		in("app/admin/access/oidc.go", "if id.Nonce != attempt.Nonce {", "if id.Nonce == \"\" {"),
	},
	{
		"an address that the provider does not vouch for is believed", "test/e2e", "TestOIDC_forged",
		in("app/admin/access/oidc.go", "if c.Verified && strings.Count", "if strings.Count"),
	},
	{
		"who is let in no more stays in", "test/e2e", "TestOIDC_reload",
		in("app/admin/access/access.go", "role, admitted = c.Provider().admits(who)", "role, admitted = Operator, true"),
	},
	{
		"the database can be read by everybody", "db", "TestOpen_readableByOwnerOnly",
		in("db/sqlite.go", "os.O_CREATE|os.O_RDWR, 0o600)", "os.O_CREATE|os.O_RDWR, 0o644)"),
	},
	{
		"the rest of a refused body is taken for a request", "app/web", "TestUpload_smuggle",
		in("app/web/body.go", "	if stream == nil || ctx.Response.ConnectionClose() {", "	if stream != nil || ctx.Response.ConnectionClose() {"),
	},
	{
		"a request is kept in memory that the next one uses", "app/web", "TestTakenRequestsOutliveTheHandler",
		[]Edit{
			{File: "app/web/body.go", Old: "	content := make([]byte, 0, first+1)\n", New: "	content := oneBuffer[: 0 : first+1]\n"},
			{File: "app/web/body.go", Old: "// readAll reads a body", New: "var oneBuffer = make([]byte, 1<<20)\n\n// readAll reads a body"},
		},
	},

	{
		"a pause with an end is for ever", "test/faults", "TestPauseEnds",
		in("app/pauses.go", "if !p.ending.Load() {", "if p.ending.Load() || true {"),
	},

	// What is shown.
	{
		"a secret prints itself", "internal/event", "TestSecret_neverPrints",
		in("internal/event/secret.go", "_, _ = f.Write([]byte(redacted))", "_, _ = f.Write([]byte(s.text))"),
	},
	{
		"the header with the signature is kept", "test/e2e", "TestSecretsStayHidden",
		in("app/ingest/plan.go", "!transportHeaders[header] && !src.Secret(header)", "!transportHeaders[header]"),
	},
	{
		"a stranger's cell is a formula", "internal/csv", "TestRow",
		in("internal/csv/csv.go", `out.WriteString(line[done:i] + "'")`, `out.WriteString(line[done:i])`),
	},
	{
		"a stranger's text moves the cursor", "app/cli/term", "TestClean",
		in("app/cli/term/text.go", "if strings.IndexFunc(text, diag.Obeyed) < 0 {", "if strings.IndexFunc(text, diag.Obeyed) < len(text) {"),
	},
	{
		"a stranger's text calls the whole channel", "connectors/slack", "TestSlack_escaping",
		in("connectors/markup.go", "{ return angles.Replace(text) }", "{ return text }"),
	},
	{
		"a stranger's text makes a header of a mail", "connectors/email", "TestEmail_cannotBeSent",
		in("connectors/email/message.go", "if strings.ContainsFunc(value, breaksLine) {", "if strings.ContainsFunc(value[:0], breaksLine) {"),
	},
	{
		"a stranger's file is shown as part of the site", "app", "TestFileURL",
		in("app/web/api/files.go", "	c.Set(fiber.HeaderXContentTypeOptions, \"nosniff\")\n", ""),
	},
	{
		"a robot's post is no spam", "forms", "TestSubmit_honeypot",
		in("forms/submit.go", "	return name == f.honeypot || slices.Contains(honeypots, name)\n", "	return false\n"),
	},
}
