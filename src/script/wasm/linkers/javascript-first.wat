;; Given to the QuickJS binary as its imports: the interrupt handler, where the host answers 0 to go on, 1 to pause, 2 to interrupt; and the
;; resolution of imports, which the second module does: the one-slot table leads there.
(module
  (import "host" "tick" (func $tick (result i32)))
  (import "host" "pause" (func $pause))
  (type $normalize (func (param i32 i32) (result i32)))
  (table (export "slots") 1 funcref)
  (func (export "module_normalize") (type $normalize)
    local.get 0 local.get 1 i32.const 0 call_indirect (type $normalize))
  (func (export "host_interrupt") (result i32) (local $answer i32)
    call $tick local.tee $answer
    i32.const 1 i32.eq if call $pause i32.const 0 return end
    local.get $answer i32.const 2 i32.eq))
