;; Given to the Lua binary as its imports, before it exists; the one-slot table leads to the second module.
(module
  (type $invoke (func (param i32 i32 i32)))
  (tag $longjmp (export "longjmp"))
  (table (export "slots") 1 funcref)
  (func (export "invoke_vii") (type $invoke)
    local.get 0 local.get 1 local.get 2 i32.const 0 call_indirect (type $invoke))
  (func (export "throw_longjmp") throw $longjmp))
