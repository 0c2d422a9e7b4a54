package admin

import (
	"cmp"
	"maps"
	"slices"

	"hookgate/internal/event"
)

// A filter with a name that the configuration in force does not have may still
// select what is stored of an earlier one. So a name is at fault only where
// nothing was found.

// checkOrigin is the error that no source or form in force has the name.
func (c *InForce) checkOrigin(name string) error {
	if name == "" || c.Plan.Sources[name] != nil || c.Plan.Forms[name] != nil {
		return nil
	}
	names := slices.Sorted(maps.Keys(c.Plan.Sources))
	return notCalled("source or form in force", name, slices.AppendSeq(names, maps.Keys(c.Plan.Forms)))
}

// checkRule is the error that no rule in force has the name.
func (c *InForce) checkRule(name string) error {
	names := c.Plan.Rules.Names()
	if name == "" || name == event.AutoreplyRule || slices.Contains(names, name) {
		return nil
	}
	return notCalled("rule in force", name, names)
}

// checkConnection is the error that no connection in force has the name.
func (c *InForce) checkConnection(name string) error {
	names := c.connectionNames()
	if name == "" || slices.Contains(names, name) {
		return nil
	}
	return notCalled("connection in force", name, names)
}

// checkNames finds the name in a filter of events that is at fault.
func (c *InForce) checkNames(f event.Filter) error {
	return cmp.Or(c.checkEvents(f.Source, f.Rule), c.checkConnection(f.Connection))
}

// checkEvents finds the name in a filter of events that is at fault.
func (c *InForce) checkEvents(source, rule string) error {
	if err := c.checkOrigin(source); err != nil {
		return err
	}
	return c.checkRule(rule)
}

// checkDeliveries finds the name in a filter of deliveries that is at fault.
func (c *InForce) checkDeliveries(connection, rule string) error {
	if err := c.checkConnection(connection); err != nil {
		return err
	}
	return c.checkRule(rule)
}
