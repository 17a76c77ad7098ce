"""How a synthetic pet is drawn; `helpers.synthetic_pets` is the public door.

Read in this order: `noise` (ready-made random tiles), `painting` (one painter for everything furry or smooth),
`backgrounds`, `traits` (what tells a cat from a dog), `coats`, `shapes` (outlines), `pet`, `heads`, `bodies`,
`camera`, `scene` (all of it together) and `worker` (many pictures on several processor cores). None of them imports
TensorFlow.
"""
