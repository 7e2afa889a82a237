;; Given to the QuickJS binary as its imports: the interrupt handler. The host answers 0 to go on, 1 to pause, 2 to interrupt.
(module
  (import "host" "tick" (func $tick (result i32)))
  (import "host" "pause" (func $pause))
  (func (export "host_interrupt") (result i32) (local $answer i32)
    call $tick local.tee $answer
    i32.const 1 i32.eq if call $pause i32.const 0 return end
    local.get $answer i32.const 2 i32.eq))
