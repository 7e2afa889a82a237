;; Fuel is used up: the host answers 0 to go on and 1 to pause, or throws to kill.
(module
  (import "host" "tick" (func $tick (result i32)))
  (import "host" "pause" (func $pause))
  (func (export "tick") call $tick if call $pause end))
