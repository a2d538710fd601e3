// Judges objects the way the tools of GitOps do: by the Lua engine that Argo CD embeds, and by kstatus.
//
// Owns how a script is run and how an answer is read, after Argo CD's own runner. Must never know a rule of the
// operator: what is right is said by the tests that call it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const usage = `usage:
  judge cases <resource_customizations>    run health_test.yaml and action_test.yaml of every kind
  judge health <resource_customizations>   health of the objects on standard input, a JSON list
  judge act <resource_customizations> <action>
                                           what the action makes of the object on standard input
  judge kstatus                            status of the objects on standard input, a JSON list`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	command, rest := "", arguments
	if len(arguments) > 0 {
		command, rest = arguments[0], arguments[1:]
	}
	switch {
	case command == "cases" && len(rest) == 1:
		return runCases(rest[0])
	case command == "health" && len(rest) == 1:
		return each(func(object *unstructured.Unstructured) (any, error) { return health(rest[0], object) })
	case command == "act" && len(rest) == 2:
		objects, err := objects()
		if err != nil {
			return err
		}
		if len(objects) != 1 {
			return errors.New("act takes one object")
		}
		changed, err := act(rest[0], rest[1], objects[0])
		if err != nil {
			return err
		}
		return answer(changed)
	case command == "kstatus" && len(rest) == 0:
		return each(kstatus)
	}
	return errors.New(usage)
}

func each(judge func(*unstructured.Unstructured) (any, error)) error {
	objects, err := objects()
	if err != nil {
		return err
	}
	verdicts := make([]any, 0, len(objects))
	for _, object := range objects {
		verdict, err := judge(object)
		if err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		verdicts = append(verdicts, verdict)
	}
	return answer(verdicts)
}

// As a client reads them from the API server: whole numbers stay whole.
func objects() ([]*unstructured.Unstructured, error) {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(input, &raw); err != nil {
		return nil, fmt.Errorf("standard input is no JSON list: %w", err)
	}
	list := make([]*unstructured.Unstructured, 0, len(raw))
	for _, one := range raw {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(one); err != nil {
			return nil, err
		}
		list = append(list, object)
	}
	return list, nil
}

func answer(value any) error {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
