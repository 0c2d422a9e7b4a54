package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress tells on stderr how far long work is: as a bar on a terminal, else
// as a line now and then.
type progress struct {
	session *session
	what    string
	total   int
	bar     *progressbar.ProgressBar
	told    time.Time
}

// progress begins one. total is how much there is to do; what names it: events.
func (s *session) progress(total int, what string) *progress {
	p := &progress{session: s, what: what, total: total, told: s.now()}
	if !s.quiet && s.msg.TTY() {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(s.msg), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionEnableColorCodes(s.msg.Color()),
		)
	}
	return p
}

// set says how much is done.
func (p *progress) set(done int) {
	done = min(done, p.total)
	if p.bar != nil {
		_ = p.bar.Set(done) // there is nobody left to tell that stderr is gone
		return
	}
	if now := p.session.now(); now.Sub(p.told) >= 2*time.Second {
		p.told = now
		p.session.note("%s: %s of %s", p.what, thousands(done), thousands(p.total))
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}
