package client_test

import "testing"

func TestStatistics(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, sample())
	stats, err := c.Statistics(t.Context(), "1h")
	if err != nil || stats.StepSeconds != 300 || len(stats.Slots) != 12 || stats.Slots[11].Events != 4 {
		t.Errorf("got %+v, %v", stats, err)
	}
	if _, err := c.Statistics(t.Context(), "1y"); err == nil || err.Error() != `there are no statistics of "1y": take one of 1h, 24h, 7d, 30d` {
		t.Errorf("a time that there is not: %v", err)
	}
	if list, err := c.QuietSources(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("quiet: got %+v, %v", list, err)
	}
}
