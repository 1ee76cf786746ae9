package conversation

import "strings"

// growing is text that is appended to and read as a whole, without a copy: a Builder's String shares what was written, which
// never changes. It stops growing at [MaxText].
type growing struct {
	b    strings.Builder
	full bool
}

func (g *growing) add(text string) {
	if g.full || text == "" {
		return
	}
	if g.b.Len()+len(text) > MaxText-16 {
		g.full = true
		text = Clip(text, max(MaxText-16-g.b.Len(), 16))
	}
	g.b.WriteString(text)
}

func (g *growing) empty() bool { return g.b.Len() == 0 }

func (g *growing) string() string { return g.b.String() }
