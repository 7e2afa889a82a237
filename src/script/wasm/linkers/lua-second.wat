;; Linked when the Lua binary exists: setjmp and longjmp inside wasm, and what stands behind every host function.
(module
  (type $protected (func (param i32 i32)))
  (import "first" "longjmp" (tag $longjmp))
  (import "lua" "__indirect_function_table" (table 1 funcref))
  (import "lua" "setThrew" (func $setThrew (param i32 i32)))
  (import "lua" "stackSave" (func $stackSave (result i32)))
  (import "lua" "stackRestore" (func $stackRestore (param i32)))
  (import "lua" "lua_error" (func $lua_error (param i32) (result i32)))
  (import "lua" "__fuel" (global $fuel (mut i32)))
  (import "host" "call" (func $call (param i32) (result i32)))
  (import "host" "wait" (func $wait (result externref)))
  (import "host" "finish" (func $finish (param i32 externref) (result i32)))
  (import "host" "interrupt" (func $interrupt (param i32) (result i32)))

  ;; Calls table[0](1, 2); a caught longjmp costs fuel, so that a loop of errors is no cheaper than one of instructions.
  (func (export "invoke_vii") (param i32 i32 i32) (local $sp i32)
    call $stackSave local.set $sp
    try
      local.get 1 local.get 2 local.get 0 call_indirect (type $protected)
    catch $longjmp
      global.get $fuel i32.const 500 i32.sub global.set $fuel
      local.get $sp call $stackRestore
      i32.const 1 i32.const 0 call $setThrew
    end)

  ;; The host answers with a number of results, -1 to raise what is on the stack, or -2 to wait.
  ;; JSPI does not know the shadow stack: after a wait its pointer is put back before anything else runs.
  (func (export "host_fn") (param $L i32) (result i32) (local $sp i32) (local $results i32) (local $outcome externref)
    local.get $L call $call local.tee $results
    i32.const 0 i32.ge_s if local.get $results return end
    local.get $results i32.const -2 i32.eq if
      call $stackSave local.set $sp
      call $wait local.set $outcome
      local.get $sp call $stackRestore
      local.get $L local.get $outcome call $finish local.tee $results
      i32.const 0 i32.ge_s if local.get $results return end
    end
    local.get $L call $lua_error)

  ;; The count hook of interrupts.
  (func (export "hook") (param $L i32) (param $info i32)
    local.get $L call $interrupt
    if local.get $L call $lua_error drop end))
