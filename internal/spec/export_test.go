package spec

import "strings"

// WithDefaults returns two specs: one with the required keys only, and one
// with every default besides that the schema documents as a value. written is
// their number. Both have one entry in each list of entries.
func WithDefaults() (short, long []byte, written int) {
	var render func(o object, indent string, full bool) string
	render = func(o object, indent string, full bool) string {
		var b strings.Builder
		for _, k := range o {
			switch inner := k.inner(); {
			case k.required && inner == nil:
				b.WriteString(indent + k.name + ": " + k.example + "\n")
			case k.name == "limits" && indent == "      ": // a timer's are the service's
			case inner != nil:
				deeper := indent + "  "
				_, isObject := k.value.(object)
				if !isObject {
					deeper += "  "
				}
				body := render(inner, deeper, full)
				if !isObject && body != "" {
					body = indent + "  - " + strings.TrimPrefix(body, deeper)
				}
				if body != "" {
					b.WriteString(indent + k.name + ":\n" + body)
				}
			case full:
				if _, ok := k.literal(); ok {
					b.WriteString(indent + k.name + ": " + k.def + "\n")
					written++
				}
			}
		}
		return b.String()
	}
	top := schema(&Spec{})
	// A route needs a port that is known.
	const address = "  environments: |\n    HTTP_ADDRESS=:8080\n"
	return []byte(render(top, "", false) + address), []byte(render(top, "", true) + address), written
}
