/// Unicode 14.0.0, by scripts/unicode-tables. All numbers are of base 36.
enum UnicodeTables {
  /// How many scalars from the last end on are no part of words, then how many are, and so on; the rest is
  /// none. 782 ranges: letters, marks, numbers (L, M, N) and `_`.
  static let words = """
    1c a 7 q 4 1 1 q 1b 1 7 2 1 1 3 2 1 3 1 n 1 v 1 cq 4 c e 5 7 1 1 1 h 39 1 2 2 4 1 1 6 1 1 3 1 1 1 k 1
    2b 1 3v 1 4t 1 12 2 1 6 15 8 19 1 1 1 2 1 2 1 1 8 r 4 4 t b 5 22 4 2u 1 8 2 a 1 j 2 1 g 1n 2 2t e 1i
    4 1 2 1 2 1a i s 4 b 5 o 1 6 9 22 1 3l 2 a 1 j 1 8 2 2 2 m 1 7 1 1 3 4 2 9 2 2 2 4 8 1 4 2 1 5 2 c 2
    6 2 1 1 1 2 3 1 6 4 2 2 m 1 7 1 2 1 2 1 2 2 1 1 5 4 2 2 3 3 1 7 4 1 1 7 g b 3 1 9 1 3 1 m 1 7 1 2 1 5
    2 a 1 3 1 3 2 1 f 4 2 a 9 7 1 3 1 8 2 2 2 m 1 7 1 2 1 5 2 9 2 2 2 3 7 3 4 2 1 5 2 a 1 7 a 2 1 6 3 3 1
    4 3 2 1 1 1 2 3 2 3 3 3 c 4 5 3 3 1 4 2 1 6 1 e d d d 1 3 1 n 1 g 2 9 1 3 1 4 7 2 1 3 2 1 2 4 2 a 8 7
    1 4 1 8 1 3 1 n 1 a 1 5 2 9 1 3 1 4 7 2 6 2 1 4 2 a 1 2 d d 1 3 1 1f 1 3 1 5 5 g 2 j 1 6 1 3 1 i 3 o
    1 9 1 1 2 7 3 1 4 6 1 1 1 8 6 a 2 2 d 1m 5 f 1 a 13 2 1 1 1 5 1 o 1 1 1 n 2 5 1 1 1 6 2 a 2 4 w 1 n 2
    6 k 1 1 1 1 1 1 4 a 1 10 4 k 1 i 1 10 9 1 1l 22 6 26 2 12 1 1 5 1 2 17 1 99 1 4 2 7 1 1 1 4 2 15 1 4
    2 x 1 4 2 7 1 1 1 4 2 f 1 1l 1 4 2 1v 2 3 9 k 3 g g 2e 2 6 3 h8 2 h 1 q 5 23 3 b 7 m 9 m b k c d 1 3
    1 2 c 2c 3 1 4 2 2 a 6 a h 3 1 b 6 2h 7 17 5 1y a v 1 c 4 c a 14 2 5 b 18 4 q 6 b 11 s 4 1r 1 t 2 b 6
    a d 1 8 v 1d 25 3 a h 9 c 38 c 1k 8 a 3 1d 2 9 7 17 2 3 g 3 1 13 5 eu 2 6 2 12 2 6 2 8 1 1 1 1 1 1 1
    v 2 1h 1 7 1 1 3 3 1 7 3 4 2 6 4 d 5 3 1 7 37 2 2 6 5 b 6 d 1f x h 1 4 1 2 a 1 1 3 5 6 1 1 1 1 1 1 4
    1 b 2 4 5 5 4 1 1 1m k6 1o 26 m hi u vg 6d 6 9 9 1 2 12 1 1 5 1 2 1k 7 1 f o 9 7 1 7 1 7 1 7 1 7 1 7
    1 7 1 7 1 w 1b 1 d1 3 p f 1 5 2 5 4 2e 2 2 2 3 1 2i 1 4 5 17 1 2m 3 4 a w 1c g w a u 8 1 f w a 13 f
    8w 534 1s h3h 1v 1a 2 7h 3 s k 1f 1 a 1 37 11 9 2 2v 2 1s 5 2 1 1 1 5 o 1i 4 1 3 6 a 1g c 1y a a 6 o
    3 1 1 1d 2 10 c t 3 1t e b 6 v 1 1j 9 e 2 a 6 n 3 21 o 3 2 g 2 5 a 6 2 6 2 6 9 7 1 7 1 17 1 e 6 3f 1
    2 2 a 6 8mc c n 4 1d 6is a6 2 2y 12 7 c 5 5 c 1 d 1 5 1 1 1 2 1 2 1 30 x a3 i 1s 2 1i 14 c 4 g g g 1s
    5 1 3r j a 7 q 6 q b 2h 3 6 2 6 2 6 2 3 z c 1 q 1 j 1 2 1 f 2 e y 3f c 19 c 1l h 2 35 1 3m t 3 1d f s
    4 10 9 u 5 17 5 u 2 10 4 8 1 5 16 4e 2 a 6 10 4 10 4 14 8 1g c b 1 f 1 7 1 2 1 b 1 f 1 7 1 2 1v 8n 9
    m a 8 o 6 1 16 1 9 1x 6 2 1 1 18 1 2 3 1 2 n 2 v 2 12 8 9 1c j 1 2 5 x 4 q 1y 1k 4 k 2 1e 1 2 5 8 1 3
    1 t 2 3 4 a n v 1 w w 8 1 u 4 5 g 1i a m 2 r 5 q n 7 28 21 1j 1f d 1f 7 1a 8 a 86 v 1 16 1 2 3 2 26
    14 8 11 r m 16 s k n 9 1z b 10 9 1o 7 1 d p 7 a 6 1h 1 a 4 4 8 10 2 1 9 1x 4 4 1 d 1 1 4 k b i 1 11 6
    1 1t 7 1 1 1 4 1 f 1 a 7 1n 5 a 6 4 1 8 2 2 2 m 1 7 1 2 1 5 1 a 2 2 2 3 2 1 6 1 5 7 2 7 3 5 3v 23 5 a
    4 4 u 1y 1 1 8 a 4m 1i 2 9 n 6 y 1t 3 1 b a 12 1l 7 a 1i r 2 f 4 c 4 7 55 1n 2t 2b c 8 2 1 2 8 1 2 1
    u 1 2 2 9 c a 1y 8 2 1a 2 8 1 2 r 1r 8 1 8 22 3 1 i 21 7b 9 1 19 1 9 f t 5 u 2 m 1 e 21 7 1 2 1 18 3
    1 1 2 1 9 8 a 6 6 1 2 1 11 1 2 1 6 7 a 8m n 55 1 f l 17 pm 2u 33 h 5g 218 2p f tr 34h g7 6nt ft 7 v 1
    a 6 27 1 a 6 u 2 5 b 1j 9 4 c a 1 7 1 l 5 j j4 2f 2x 23 4 1l 7 h 1s 2 1 2 b 2 e 4qg 8 ye 16 9 6w7 4 1
    7 1 2 1 83 19 3 h 4 8 b0 1s4 2z 5 d 3 9 7 a 3 2 3mp 1a 2 n f2 5 3 6 8 8 2 7 u 4 44 3 4b k 30 p 3r 2d
    1 1z 1 2 2 1 2 2 2 4 1 c 1 1 1 7 1 1t 1 4 2 8 1 7 1 s 1 4 1 5 1 1 3 7 1 9g 2 p 1 p 1 v 1 p 1 v 1 p 1
    v 1 p 1 v 1 p 1 8 2 1e e8 1j 4 1e 8 1 e 1 m 5 1 f uo v 69 7 1 h 2 7 1 2 1 5 5x 19 3 e 2 a 4 1 8x v h
    1m yu 7 1 4 1 2 1 f 1 5h 2 g 15 24 4 a lz 1n 1 3 1 4 24 19 1 f 5e 4 1 r 1 2 1 1 2 1 1 a 1 4 1 1 1 1 6
    1 4 1 1 1 1 1 1 3 1 2 1 1 2 1 1 1 1 1 1 1 1 1 1 2 1 1 2 4 1 7 1 4 1 4 1 1 1 a 1 h 5 3 1 5 1 h g4 d
    25f a sm wyo w 37d 7 66 2 4g2 e 5rl 2e7 f2 15u 3t7 fcmt 6o
    """

  /// 358 ranges of scalars beyond ASCII that are the same in any case (simple case folding), by
  /// three numbers: the first, counted from the last of the range before; how many follow; how far the next
  /// scalar of the same letter is, the least of them following the greatest. 0: each two are one letter.
  static let cases = """
    51 0 kn b m w 2 6 w 1 0 5vj 1 4 -w 1 0 6di 1 g -w 2 6 -w 1 0 3d 1 1b 0 3 5 0 2 f 0 2 19 0 1 0 -3d 1 5
    0 2 0 5f 1 0 5u 1 3 0 1 0 5q 1 1 0 1 1 5p 1 1 0 2 0 27 1 0 5m 1 0 5n 1 1 0 1 0 5p 1 0 5r 1 0 2p 1 0
    5v 1 0 5t 1 1 0 1 0 4j 2 0 5v 1 0 5x 1 0 3m 1 0 5y 1 5 0 1 0 62 1 1 0 1 0 62 3 1 0 1 0 62 1 1 0 1 1
    61 1 3 0 1 0 63 1 1 0 3 1 0 2 0 1k 5 1 1 1 0 -2 1 1 1 1 0 -2 1 1 1 1 0 -2 1 f 0 1 0 -27 1 h 0 2 1 1 1
    0 -2 1 1 0 1 0 -2p 1 0 -1k 1 13 0 1 0 -3m 2 h 0 7 0 8bv 1 1 0 1 0 -4j 1 0 8bs 1 1 8cf 1 1 0 1 0 -5f 1
    0 1x 1 0 1z 1 9 0 1 0 8bj 1 0 8bg 1 0 8bi 1 0 -5u 1 0 -5q 2 1 -5p 2 0 -5m 2 0 -5n 1 0 wnj 4 0 -5p 1 0
    wnf 2 0 -5r 2 0 wmg 1 0 wn8 2 0 -5t 1 0 -5v 1 0 wn8 1 0 8af 1 0 wn5 3 0 -5v 2 0 8al 1 0 -5x 3 0 -5y 8
    0 89z 3 0 -62 2 0 wn7 1 0 -62 4 0 wmi 1 0 -62 1 0 -1x 1 1 -61 1 0 -1z 6 0 -63 b 0 wlx 1 0 wlu 4n 0 2c
    17 3 0 3 1 0 4 2 3m 2 0 38 7 0 12 2 2 11 2 0 1s 2 1 1r 2 g w 2 0 v 1 7 w 1 0 -12 1 2 -11 2 0 -w 1 0 u
    1 1 -w 1 0 1s 1 1 -w 1 0 p 1 0 5j9 1 0 1i 1 0 -w 1 0 -lj 1 2 -w 1 0 m 1 0 1c 1 0 1 1 2 -w 1 0 f 1 1
    -w 1 0 5st 1 1 -w 1 0 -1s 1 1 -1r 1 0 8 1 0 -1q 1 0 z 4 0 -1b 1 0 -1i 1 0 -8 1 n 0 1 0 -2e 1 0 -28 1
    0 7 1 0 -38 1 0 -2k 1 0 -2o 2 1 0 1 0 -7 1 1 0 2 2 -3m 1 f 28 1 v w 1 1 -w 1 0 4su 1 0 -w 1 0 4st 1 8
    -w 1 0 4sk 1 1 -w 1 1 4si 1 6 -w 1 0 4sc 1 4 -w 1 f -28 1 1 0 1 0 1 1 0 4ro 1 t 0 9 1h 0 1 0 f 1 d 0
    1 0 -f 1 2n 0 2 11 1c b 11 -1c 26y 11 5ls 2 0 5ls 6 0 5ls 3 16 2bk 3 2 2bk ip 27 tzk 1 5 8 3 5 -8 1oj
    0 -4tq 1 0 -4tp 1 0 -4tg 1 0 -4te 1 0 1 1 0 -4tf 1 0 -4t8 1 0 -4rp 1 0 r7m 8 16 -2bk 3 2 -2bk 56 0
    r9g 4 0 2xy h 0 raw 36 2n 0 1 0 1 1 0 1m 1 1f 0 6 0 -1n 3 0 -5vj 2 2n 0 1 7 8 1 7 -8 1 5 8 3 5 -8 3 7
    8 1 7 -8 1 7 8 1 7 -8 1 5 8 3 5 -8 4 0 8 2 0 8 2 0 8 2 0 8 2 0 -8 2 0 -8 2 0 -8 2 0 -8 1 7 8 1 7 -8 1
    1 22 1 3 2e 1 1 2s 1 1 3k 1 1 34 1 1 3i 3 7 8 1 7 -8 1 7 8 1 7 -8 1 7 8 1 7 -8 1 1 8 2 0 9 5 1 -8 1 1
    -22 1 0 -9 2 0 -5mh 5 0 9 5 3 -2e 1 0 -9 4 1 8 7 1 -8 1 1 -2s 5 1 8 4 0 7 3 1 -8 1 1 -34 1 0 -7 7 0 9
    5 1 -3k 1 1 -3i 1 0 -9 8a 0 -5tp 5 0 -6ee 7 0 s s 0 -s i f g 1 f -g 4 1 0 mq p q 1 p -q 1ef 1b 1c 1
    1b -1c 1 1 0 1 0 -8af 1 0 -2xy 1 0 -89z 1 0 -8bv 1 0 -8bs 1 5 0 1 0 -8bg 1 0 -8al 1 0 -8bj 1 0 -8bi 2
    1 0 2 1 0 8 1 -8cf 1 2r 0 8 3 0 4 1 0 d 11 -5ls 2 0 -5ls 6 0 -5ls nwz 9 0 1 0 1 1 0 -r7n 1 x 0 j r 0
    3r d 0 3 1p 0 a 3 0 1 0 -r9g 1 9 0 4 1 0 1 0 -wmg 3 3 0 1 0 1c 2 j 0 1 0 -wn8 1 0 -wnj 1 0 -wnf 1 0
    -wn5 1 0 -wn8 2 0 -wlu 1 0 -wmi 1 0 -wlx 1 0 ps 1 f 0 1 0 -1c 1 0 -wn7 1 0 -raw 1 3 0 6 1 0 5 3 0 s 1
    0 nx 0 -ps t 27 -tzk ggy p w 7 p -w x2 13 14 1 13 -14 2p z 14 5 z -14 39 a 13 2 e 13 2 6 13 2 1 13 2
    a -13 2 e -13 2 6 -13 2 1 -13 1c4 1e 1s e 1e -1s 2b2 v w 1 v -w gv5 v w 1 v -w o75 x y 1 x -y
    """
}
