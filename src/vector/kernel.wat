;; Products of one query with many rows of floats. Rows are `width` bytes, a multiple of 64; the query lies at 0, aligned.
;; `list` names the rows by index (i32 each); 0 means rows 0, 1, 2 and on. Four sums run side by side, since one would wait for itself.
(module
  (import "host" "memory" (memory 1))

  (func (export "dot") (param $rows i32) (param $list i32) (param $count i32) (param $width i32) (param $out i32)
    (local $i i32) (local $row i32) (local $at i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
        (local.set $row (i32.add (local.get $rows) (i32.mul (local.get $width)
          (if (result i32) (local.get $list)
            (then (i32.load (i32.add (local.get $list) (i32.shl (local.get $i) (i32.const 2)))))
            (else (local.get $i))))))
        (local.set $at (i32.const 0))
        (local.set $a (v128.const i32x4 0 0 0 0))
        (local.set $b (v128.const i32x4 0 0 0 0))
        (local.set $c (v128.const i32x4 0 0 0 0))
        (local.set $d (v128.const i32x4 0 0 0 0))
        (loop $along
          (local.set $a (f32x4.add (local.get $a) (f32x4.mul (v128.load (local.get $at)) (v128.load (local.get $row)))))
          (local.set $b (f32x4.add (local.get $b) (f32x4.mul (v128.load offset=16 (local.get $at)) (v128.load offset=16 (local.get $row)))))
          (local.set $c (f32x4.add (local.get $c) (f32x4.mul (v128.load offset=32 (local.get $at)) (v128.load offset=32 (local.get $row)))))
          (local.set $d (f32x4.add (local.get $d) (f32x4.mul (v128.load offset=48 (local.get $at)) (v128.load offset=48 (local.get $row)))))
          (local.set $row (i32.add (local.get $row) (i32.const 64)))
          (br_if $along (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $width))))
        (f32.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 2))) (call $sum (local.get $a) (local.get $b) (local.get $c) (local.get $d)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $each))))

  ;; The square of the distance, negative, so that more is nearer here too.
  (func (export "near") (param $rows i32) (param $list i32) (param $count i32) (param $width i32) (param $out i32)
    (local $i i32) (local $row i32) (local $at i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $x v128)
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
        (local.set $row (i32.add (local.get $rows) (i32.mul (local.get $width)
          (if (result i32) (local.get $list)
            (then (i32.load (i32.add (local.get $list) (i32.shl (local.get $i) (i32.const 2)))))
            (else (local.get $i))))))
        (local.set $at (i32.const 0))
        (local.set $a (v128.const i32x4 0 0 0 0))
        (local.set $b (v128.const i32x4 0 0 0 0))
        (local.set $c (v128.const i32x4 0 0 0 0))
        (local.set $d (v128.const i32x4 0 0 0 0))
        (loop $along
          (local.set $x (f32x4.sub (v128.load (local.get $at)) (v128.load (local.get $row))))
          (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (local.get $x))))
          (local.set $x (f32x4.sub (v128.load offset=16 (local.get $at)) (v128.load offset=16 (local.get $row))))
          (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $x) (local.get $x))))
          (local.set $x (f32x4.sub (v128.load offset=32 (local.get $at)) (v128.load offset=32 (local.get $row))))
          (local.set $c (f32x4.add (local.get $c) (f32x4.mul (local.get $x) (local.get $x))))
          (local.set $x (f32x4.sub (v128.load offset=48 (local.get $at)) (v128.load offset=48 (local.get $row))))
          (local.set $d (f32x4.add (local.get $d) (f32x4.mul (local.get $x) (local.get $x))))
          (local.set $row (i32.add (local.get $row) (i32.const 64)))
          (br_if $along (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $width))))
        (f32.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 2)))
          (f32.neg (call $sum (local.get $a) (local.get $b) (local.get $c) (local.get $d))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $each))))

  (func $sum (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result f32)
    (local.set $a (f32x4.add (f32x4.add (local.get $a) (local.get $b)) (f32x4.add (local.get $c) (local.get $d))))
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $a)) (f32x4.extract_lane 1 (local.get $a)))
      (f32.add (f32x4.extract_lane 2 (local.get $a)) (f32x4.extract_lane 3 (local.get $a))))))
