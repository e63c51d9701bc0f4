package config

import (
	"reflect"
	"strings"
)

// typeAt is the type of the key at a path, or nil if there is no such key. The path "defaults" is a Route's.
func typeAt(path string) reflect.Type {
	t := reflect.TypeFor[Config]()
	if path == "" {
		return t
	}
	for i, key := range strings.Split(path, "/") {
		if i == 0 && key == "defaults" {
			t = reflect.TypeFor[Route]()
			continue
		}
		switch t.Kind() {
		case reflect.Struct:
			if t = fieldType(t, key); t == nil {
				return nil
			}
		case reflect.Map, reflect.Slice:
			t = t.Elem()
		default:
			return nil
		}
	}
	return t
}

func fieldType(t reflect.Type, key string) reflect.Type {
	for f := range t.Fields() {
		if f.Tag.Get("koanf") == key && key != "-" {
			return f.Type
		}
	}
	return nil
}

// keysAt are the keys that may stand at a path, in the order of the struct.
func keysAt(path string) []string {
	t := typeAt(path)
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for f := range t.Fields() {
		if key := f.Tag.Get("koanf"); key != "-" && path+"/"+key != "defaults/upstream" {
			keys = append(keys, key)
		}
	}
	if path == "" {
		keys = append(keys, "defaults")
	}
	return keys
}

// scalarsAt are the paths of all scalar keys at and under a path.
func scalarsAt(path string) []string {
	switch t := typeAt(path); t.Kind() {
	case reflect.Struct:
		var paths []string
		for _, key := range keysAt(path) {
			if inner := strings.TrimPrefix(path+"/"+key, "/"); inner != "defaults" {
				paths = append(paths, scalarsAt(inner)...)
			}
		}
		return paths
	case reflect.Map, reflect.Slice:
		return nil
	}
	return []string{path}
}
