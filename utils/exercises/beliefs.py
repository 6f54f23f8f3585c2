"""The wrong ideas that the exercises know: each once, with what a check answers to it.

A chapter may answer an idea in its own words; those stand below the first, with the chapter's number. At
the end: which exercise meets which idea. The teacher's table is made from this.
"""

from typing import NamedTuple


class Belief(NamedTuple):
    """A wrong idea: `clause`, as in the teacher's table, and `why` it is wrong, as a check says it."""

    clause: str
    why: str

    def answered(self, why):
        """The same idea, answered in other words."""
        return self._replace(why=" ".join(why.split()))


def belief(text):
    """A Belief from its lines: the idea in the first, the answer in the others."""
    clause, why = text.split("\n", 1)
    return Belief(clause, "").answered(why)


# --- 01 ---

CHANCE = belief("""no classifier beats chance on random labels, in training either
Chance is the limit for labels that were held out. On the images that it trains on, a net with far more
weights than images can learn any list of labels by heart.""")
BY_HEART = belief("""what is learnt by heart helps on new images
What was learnt by heart says nothing about other images: their labels were drawn independently, so nobody
can beat chance there.""")
SURE_OF_NOTHING = belief("""a net that knows nothing has the NLL of guessing
Chance fixes the accuracy, not the NLL. The net learnt to be sure, and it stays sure on new images: most of
its confident answers are wrong, and each costs far more than an honest guess.""")
BINS_CANCEL = belief("""too sure here makes up for too shy there
The two bins are wrong in opposite directions, and you let one make up for the other. ECE takes the absolute
value in every bin, before the mean: too sure here is not repaired by too shy there.""")
EQUAL_BINS = belief("""every bin of the ECE counts the same
You gave both bins the same weight. ECE is a mean over answers, so a bin counts as often as it has answers:
its weight is its share of them.""")
EQUAL_BINS_12 = EQUAL_BINS.answered("""Every bin counted the same, however few answers are in it. A bin with
two answers is nearly all noise; weight each distance by the share of answers in its bin.""")
ONE_DIRECTION = belief("""every gap is training minus held out
A gap is the harm on unseen images. Accuracy falls there and NLL rises, so the order turns round: training
minus held out for accuracy, held out minus training for NLL.""")
OWN_CLASS = belief("""NLL looks at the largest probability
You took the largest probability. NLL never asks how sure the net was; it asks how much probability the TRUE
class received, so it needs y.""")
RAW_LOGIT = belief("""a logit is a log-probability
A logit is not a log-probability. Adding the same number to all ten logits changes no probability, but it
would change your loss: subtract the log of the sum of exponentials first.""")
PRINTED = belief("""the training loss that is printed measures the gap
The loss that train_epoch returns was taken with dropout on and while the weights still moved. The held-out
loss has neither handicap, so their difference is not the gap: measure both piles alike.""")
VALIDATION_BUG = belief("""validation better than training must be a bug
Nothing need be wrong with the split. The training loss was measured with dropout on, the held-out loss with
dropout off; that alone can put training behind. Measure alike before you suspect the data.""")
VALIDATION_BUG_04 = VALIDATION_BUG.answered("""The printed training loss was measured with dropout on, and
before the epoch's later steps; the validation loss with dropout off. So validation may look better without
any bug. Measure both in eval mode, then compare.""")
CURED = belief("""a gap below zero means no overfitting
A gap below zero is a sign that the two sides were measured in different ways. Taken alike, the same net
does better on the images that it has seen.""")
LOWER_CONFIDENCE = belief("""lower confidence is better
Confidence should be as high as the answers are right, not as low as possible. Multiply the logits by 0 and
the net says 10 % to everything: very modest, and useless. The NLL sees it.""")
LOWER_CONFIDENCE_12 = LOWER_CONFIDENCE.answered("""A lower number is not a better one. To say .6 and be
right on 80 percent misses by .2, exactly as much as to say 1.0. Calibrated means that the number said is
the share counted, and the NLL punishes both directions.""")
AS_TRAINED = belief("""a trained net is as sure as it should be
A net that overfits comes out of training too sure: it was rewarded for confidence on images that it already
knew. On other images a smaller factor has the lower NLL.""")
ONE_RUN = belief("""one run is evidence
You let the first run of each decide. Another seed would give another verdict: one run is an anecdote, and
only several pairs show how much of a difference is luck.""")
ONE_RUN_05 = ONE_RUN.answered("""One run is no evidence. The post took the last epoch of a pair in which
dropout happened to end ahead; of the five pairs two have dropout ahead, and three the control.""")
ONE_RUN_08 = ONE_RUN.answered("""One run is an anecdote: another seed has other images, weights and masks,
and often another winner. The spread over seeds says how much of a difference is chance.""")
ONE_RUN_09 = ONE_RUN.answered("""One run is one draw: another seed gives another number, sometimes with the
other sign. Without several seeds there is no standard error, and nothing to hold the mean against.""")
RANGES = belief("""a difference counts where the ranges do not overlap
Those are the ends of the ranges over all runs, new against old. Three runs against three lie apart by chance
in one experiment of ten, and pairs that differ alike may overlap. Use the difference within each pair.""")
FEWER_ERRORS = belief("""less overfitting means fewer errors
Dropout narrowed the gap of the NLL, but that need not bring fewer errors: the wrong answers became less
sure, not right. Here the interval of the difference in errors holds 0.""")

# --- 02 ---

KEEP = belief("""p is the keep probability
p is the probability to DROP in this course and in its frameworks; 1-p is kept.""")
KEEP_02 = KEEP.answered("""p is the probability to DROP a unit in this course and in its frameworks; 1-p is
kept.""")
KEEP_03 = KEEP.answered("Keras's rate is the probability to DROP a unit; 1-p is kept on average.")
KEEP_04 = KEEP.answered("PyTorch's p is the probability to DROP a unit; 1-p is kept.")
KEEP_05 = KEEP.answered("MXNet's p and rate are the probability to DROP a unit; 1-p is kept.")
KEEP_06 = KEEP.answered("""This paper's p is the probability to KEEP a unit. nn.Dropout, like the layers of
Keras and Gluon, takes the probability to drop, 1 minus that.""")
KEEP_07 = KEEP.answered("""p is the probability to DROP a unit in this course and in its frameworks; q =
1-p is kept.""")
KEEP_08 = KEEP.answered("""The dropout paper of 2014 writes p for the probability to KEEP a unit; in this
course and in its frameworks p is the probability to DROP it, so its p is our 1-p.""")
KEEP_11 = KEEP.answered("p is the probability to DROP an input here, and q = 1-p: the noise is p/q, not q/p.")
KEEP_13 = KEEP.answered("p is the probability to DROP in this course; the variance of the factor is p/(1-p).")
EXACT = belief("""dropout drops an exact fraction
Each unit throws its own coin, so the number kept is Binomial(n, 1-p): right on average, different from call
to call. Nothing fixes it at n (1-p).""")
EXACT_03 = EXACT.answered("""Each unit throws its own coin, so the number kept differs from example to
example. Nothing fixes it at n (1-p).""")
ONE_MASK = belief("""one mask serves the whole batch
All examples of the batch share one mask. Each example must draw its own, or the batch no longer averages
over many thinned networks.""")
ONE_MASK_02 = ONE_MASK.answered("""All examples of the batch share one mask. Each example must draw its own:
then the batch averages over many thinned networks, and no unit is without an update for a whole step.""")
ONE_MASK_05 = ONE_MASK.answered("""All examples of the batch share one mask, as with nn.Dropout(axes=(0,)).
Draw one number per element, or the batch no longer averages over many thinned networks.""")
ONE_MASK_06 = ONE_MASK.answered("""All examples of the batch share one mask, although axis 0 is not in axes.
Each example must draw its own, or the batch no longer averages over many thinned networks.""")
NO_RESCALING = belief("""the survivors need no rescaling
The survivors were not rescaled, so the output is (1-p) times too small on average. The next layer would see
smaller inputs in training than at prediction time.""")
NO_RESCALING_03 = NO_RESCALING.answered("""The survivors were not rescaled, so the output is (1-p) times too
small on average, and the next layer sees larger inputs in prediction than it ever saw in training.""")
NO_RESCALING_05 = NO_RESCALING.answered("""The survivors were not rescaled, so the output is (1-p) times too
small on average, and a prediction, which drops nothing, would meet larger numbers than training did.""")
NO_RESCALING_07 = NO_RESCALING.answered("""The survivors were not divided by q = 1-p. A bare mask shrinks
what the next layer gets, mean and spread; inverted dropout rescales in training.""")
NO_RESCALING_13 = NO_RESCALING.answered("""Nothing makes up for what was set to zero, so the mean of the
factor is not 1, and activations in training differ in size from those at prediction. First make the mean 1,
then look at the variance.""")
TWICE = belief("""prediction must still multiply by 1-p
That scales twice: training has already divided by 1-p, so at prediction time the output is the plain input.
Multiplying by 1-p belongs to the older recipe, which does not divide in training.""")
TWICE_03 = TWICE.answered("""That scales twice: training has already divided by 1-p, so in prediction the
layer returns the plain input.""")
TWICE_06 = TWICE.answered("""That scales twice: nn.Dropout divides by 1-p in training, so the weights stay
as they are at test time. The multiplication belongs to the paper's recipe, which does not divide.""")
TWICE_07 = TWICE.answered("""That scales twice: training has divided by 1-p already, so at prediction time
the weights are right as they are. Multiply by 1-p only after training with bare masks.""")
REMOVES = belief("""dropout removes units or weights
Dropout removes nothing. It sets some outputs to 0 for one step; every unit and every weight is still there,
and the next step draws another mask. So the shape stays.""")
REMOVES_03 = REMOVES.answered("""Dropout removes no unit and no weight. It sets some outputs to 0 for one
step; all the weights stay, are stored, and are counted.""")
UNMASKED_GRADIENT = belief("""the gradient passes a dropped unit
A dropped output is 0 whatever its input was, so for this example its slope is 0. The mask must act on the
gradient as well.""")
UNSCALED_GRADIENT = belief("""the gradient needs the mask but not the scale
A kept unit was multiplied by 1/(1-p), so a nudge of its input moves the output by 1/(1-p). Multiply the
gradient by the same factor, not by the bare mask.""")
MEAN_ENOUGH = belief("""a right mean shows a right dropout
With one mask for the whole batch every element still has the right mean, the right variance and the right
share of zeros. Only a comparison of two examples can see that they share their mask.""")
STEADY = belief("""a dropout should keep the mean of every call
What was really kept depends on all the other coins, so dividing by it ties all the units and examples
together, and nothing may be left to divide by. Divide by 1-p: right on average is what is asked for.""")
UPHILL = belief("""the gradient points to where the loss falls
The gradient points to where the loss RISES fastest. A step of plus lr times the gradient climbs; training
takes minus.""")
REBOUND = belief("""a function trains a net by making new weights
The arrays of the net that was passed in did not move. params = ... inside a function only gives a name to
something new; the caller keeps the old weights. Change the arrays in place.""")
FASTER = belief("""dropout makes training faster
Dropout makes training slower: each step sees a noisy, thinned network, so the same training accuracy takes
more steps. What it may buy is less overfitting, not speed.""")
FASTER_08 = FASTER.answered("""Dropout makes training slower: each step sees a noisy, thinned network, so
the best epoch comes later. What it may buy is a lower loss there, not an earlier epoch.""")

# --- 03 ---

OWN_LOOP = belief("""a model call in a custom loop drops by itself
Nobody sets training=True in a loop of your own: fit would, a plain model(x) does not. Gradients flow, the
loss falls, and dropout never drops. Pass training=True in the step yourself.""")
PLAIN_CALL = belief("""a Keras model drops until it is told not to
A Keras model that is called by hand is in inference mode. There is no mode to forget in the model, as in
PyTorch: each call says training=True, or it means False.""")
FROZEN = belief("""trainable = False switches dropout off
trainable = False stops the weights from learning. Dropout has no weights, so it goes on dropping wherever
the call says training=True; only batch normalisation takes the hint.""")
VALIDATION_ON = belief("""fit leaves dropout on for its validation data
fit sets training=True for its training batches alone. For validation_data it does what evaluate does:
dropout off. So the two losses that it prints are not measured alike.""")
THINNED = belief("""prediction uses the thinned net
Prediction does not use a thinned net. Dropout is off there and every unit takes part; that is why the kept
ones were scaled up in training.""")
NO_SWITCH = belief("""Keras skips a dropout layer in prediction
Keras calls your layer in prediction as well, and drops nothing on its own account. Your call receives the
argument training and must return x when it is not true.""")
FIXED_SEED = belief("""an integer seed gives new numbers at every call of keras.random
keras.random with an integer seed gives the same numbers at every call, so the same units would be dropped
for ever. Hand it a SeedGenerator: that is a counter, and every call moves it on.""")
GRAPH = belief("""NumPy in a layer draws a new mask in every step
On TensorFlow fit compiles your layer. NumPy draws once, while the layer is being compiled, and that one mask
is then used in every step. keras.random draws anew each time.""")
EVERYWHERE = belief("""training=True belongs into every call
With training=True the held-out loss is that of a thinned net: too high, and another number at every call.
The switch belongs to the training step alone.""")
NO_BATCH_AXIS = belief("""noise_shape leaves out the batch axis
keras.Input leaves the batch out, noise_shape does not: it has one entry for every axis of what the layer
receives, and the first is the batch.""")
TURNED_ROUND = belief("""a 1 in noise_shape gives that axis coins of its own
It is the other way round: noise_shape is the shape of the mask. Where it says 1 there is one coin for the
whole axis; None means a coin for each place along it.""")
BEST_BY_ITSELF = belief("""early stopping leaves the best weights by itself
By itself the callback only stops. The net then holds the weights of the last epoch, which are patience
epochs past the best; restore_best_weights=True brings the best ones back.""")
ALWAYS_LAST = belief("""the last epoch's weights remain in any case
With restore_best_weights=True the callback keeps a copy of the weights at every new best epoch, and puts
that copy back at the end.""")
FORESIGHT = belief("""early stopping finds the best epoch of all
The callback cannot see epochs that were never trained. It stops when its patience is used up, and a better
epoch after that is lost; a larger patience would have found it.""")
PREVIOUS_EPOCH = belief("""patience compares an epoch with the one before
Each epoch is compared with the best so far, not with the one before. A small recovery that is no new best
does not start the count again.""")
TURNED_MASK = belief("""True in a mask means dropped
A mask says here what is kept: True stays, False becomes 0. ops.where(keep, a, b) takes from a where keep is
True.""")
NAN_TIMES_ZERO = belief("""times 0 is always 0
A NaN times 0 is a NaN, and so is infinity times 0. ops.where selects the 0 and does not look at what stood
there.""")
KEPT_BY_KERAS = belief("""Keras adds what get_config leaves out
A get_config of your own is all that the file holds. What is missing there is lost: the loaded layer has
another p or seed, or cannot be built.""")
OWN_SETTINGS = belief("""get_config returns the settings that I have added
The base class has settings, too: name, dtype, trainable. Without super().get_config() the loaded layer has a
new name, and whoever asks the net for it by its name does not find it.""")

# --- 04 ---

NO_GRAD = belief("""no_grad() switches dropout off
no_grad() and inference_mode() only stop recording for the backward pass. They know nothing of dropout: that
switch is the module's own, and eval() turns it off.""")
NO_GRAD_11 = NO_GRAD.answered("""inference_mode() and no_grad() only stop recording for the backward pass.
They know nothing of dropout, whose switch is the mode of its module: passes inside them differ as well.""")
NEW_MODULE = belief("""a net predicts without eval()
A new PyTorch module is in training mode, so it drops. PyTorch does not guess when you predict: without
net.eval() the same image gets another answer at every call.""")
LEFT_OFF = belief("""eval() may stay on after a validation pass
The net was left in another mode than it came in. After a validation pass in the middle of training, the
rest of the training would run without dropout, silently.""")
FUNCTIONAL = belief("""F.dropout follows the module's mode
F.dropout is a plain function and cannot see which net calls it. Its own argument training, True by
default, decides alone: pass training=self.training.""")
PIXELS = belief("""single pixels are as good as channels
Single pixels were dropped. Neighbours carry nearly the same information, so a channel that loses some
pixels hides little: one coin must decide about a whole channel of an example.""")
PIXELS_09 = PIXELS.answered("""Independent draws average out: what one position hides, the others still
tell. One draw for all of them hides it everywhere, so its noise does not fall as T grows.""")
MC_TRAIN = belief("""net.train() is harmless for Monte Carlo dropout
net.train() switches batch normalisation as well: it then uses each batch's own statistics, and every pass
moves its running statistics, even under no_grad(). Switch the dropout modules alone.""")

ALWAYS_ON = belief("""a layer that drops needs no switch
Dropout belongs to training. eval() sets self.training to False in every module; a layer that does not look
at it drops while you predict, and the same input gets another answer at every call.""")
ADDS_UP = belief("""backward() computes the gradient of this batch alone
backward() ADDS to what lies in .grad. The gradient of an earlier batch was still there and moved the
weights as well: call optimizer.zero_grad() before it.""")
ZEROED = belief("""gradients may be cleared at any place of the loop
The weights did not move: when step() was called there was no gradient, because zero_grad() came after
backward(), or backward() never came.""")
ONE_FLAG = belief("""a net has one mode, so train() undoes eval()
Each module has a mode of its own, and they need not agree: a batch norm may be frozen in eval mode while the
net trains. net.train(...) gives all of them the same one. Remember and put back each module's.""")

# --- 05 ---

OUTSIDE = belief("""MXNet drops without record()
MXNet's training switch is off by default, and dropout follows it. A forward pass outside record() is a
prediction, so nothing is dropped there; nobody has to call eval().""")
OUTSIDE_11 = OUTSIDE.answered("""MXNet drops in training mode only, and a plain call is in prediction mode.
Outside record() and train_mode() a hundred passes are a hundred equal answers.""")
RECORDING = belief("""what is recorded is also trained
MXNet has two switches. Recording decides whether a gradient can be taken; training decides whether dropout
drops. record() turns both on, but record(train_mode=False) only records.""")
NEEDS_RECORD = belief("""without recording nothing can drop
Dropout asks for the training switch alone. train_mode() turns that on without recording anything: so you
draw noisy predictions for Monte Carlo dropout.""")
INNERMOST = belief("""record() outranks a mode inside it
The innermost context that sets the training switch decides. Inside record(), predict_mode() turns dropout
off for its own block, and recording goes on.""")
BY_ITSELF = belief("""MXNet switches my own layer off at prediction
MXNet switches its own operators, not your arithmetic: a comparison and a product do the same in every mode.
Your layer must ask autograd.is_training() and hand the input through when the answer is no.""")
DETACHED = belief("""NumPy inside a layer is as good
asnumpy() leaves MXNet: what you compute there is not recorded, so no gradient comes back through your
layer. Stay with nd operators from x to the output.""")
RECORDED = belief("""record() is harmless without backward()
record() also switches to training, whether or not anybody calls backward() later. The loss was measured
with dropout on, and another call gives another loss.""")
SCOPE = belief("""record() covers only the lines written in it
A with block covers everything that runs before it ends, the functions that you call from it included.
Called inside record(), your function is in training mode unless it changes the mode itself.""")
DIVIDED_TWICE = belief("""step(batch size) fits every loss
step(n) divides the gradient by n, and mean() has divided it already. Scaled twice, the step is n times too
small: either sum up and step(n), or take the mean and step(1).""")
SUMMED = belief("""backward() takes the mean of a vector of losses
backward() on a vector of losses gives the gradient of their sum, not of their mean. Somebody must divide by
the size of the batch: that is what the number in step(n) is for.""")
ONE_IS_NAN = belief("""p = 1 gives zeros everywhere
At p = 1 MXNet's own layer computes 0 times 1/0, which is NaN, forward and backward. One such step turns
every weight below it into NaN, and no error says so. Treat p = 1 alone.""")
ONE_IS_NAN_06 = ONE_IS_NAN.answered("""At p = 1 MXNet multiplies 0 by 1/0, and zero times infinity is NaN.
The loss is NaN from that step on, and no error says why: a sweep over p must stop before 1.""")
SILENT = belief("""every layer refuses a wrong rate
Gluon's layer only asks whether the rate is above 0 and otherwise copies its input. A slip of the sign
trains without dropout, silently: refuse such a rate yourself.""")
SILENT_06 = SILENT.answered("""Not every layer refuses a wrong rate. Gluon's asks `rate > 0`, which a
negative rate fails, so the input passes: a slip of the sign trains without dropout, silently.""")
COMPARE = belief("""p < 0 or p > 1 finds every wrong rate
Every comparison with NaN is false, so NaN is neither below 0 nor above 1 and slips through. Ask the other
way round: `not 0 <= p <= 1` is true for NaN.""")
SMALL_MEAN = belief("""the larger mean of a few runs wins
The control leads by less than a fifth of a point on average, while single pairs differ by up to half a point,
in both directions. The 95 % interval of the mean holds 0, so these five pairs cannot tell a winner.""")

# --- 06 ---

ZERO_IS_DROPPED = belief("""a zero in the output was dropped
A ReLU puts zeros into h that dropout never touched, so a zero in the output says nothing about the mask.
Send an input through that has no zeros: for ones, the output is the factor.""")
OUTPUT_OVER_INPUT = belief("""output / input shows the mask
Where the ReLU gave 0, output / h is 0/0, which is NaN: the factor cannot be read off there. Ones under the
same seed show it for every unit.""")
SHARE_IS_P = belief("""the share of zeros is p
The share of zeros is only near p: every element throws its own coin. What is kept was divided by 1-p, and
that number stands in the factor to the last digit.""")
ONLY_LOGITS = belief("""equal outputs prove equal nets
Equal outputs do not prove equal nets. Port E's logits agree to the last digits and its gradients do not, so
it predicts well and trains wrongly. Compare every gradient too.""")
FLOAT32 = belief("""every difference is a bug
Not every difference is a bug. Float32 carries about seven digits, so its rounding is near 1e-7, and bugs
here are thousands of times larger: the wide gap between the two is the evidence.""")
SAME_SEED = belief("""the same seed draws the same mask everywhere
Port D drew its own masks from the same seed. A seed repeats one generator's numbers, and every framework
has its own, so the masks differ: pass the masks themselves.""")
SHAPES_FIT = belief("""shapes that fit are weights that fit
Port B copied a square weight matrix without transposing it. nn.Linear stores (outputs, inputs); the shapes
fit either way, so only the numbers can tell.""")
NO_ABS = belief("""the largest difference needs no absolute value
The maximum of the plain difference misses every deviation downwards: values that are too small would count
as a perfect match. Take the absolute value first.""")
MOMENTUM = belief("""momentum means the same everywhere
The same word has two meanings. In Keras momentum is the weight of the past, in PyTorch the weight of the
new batch. At 0.99 PyTorch would forget nearly everything at each step.""")
SAME_DEFAULTS = belief("""defaults are the same everywhere
Defaults are not the same everywhere: epsilon is 1e-3 in Keras and 1e-5 in PyTorch. Copy every number that
the original has, and look up those that it leaves out.""")
AXES_THAT_THROW = belief("""axes lists the axes that throw their own coin
axes lists the axes that SHARE a coin, not those that throw their own. In Keras's noise_shape these are the
axes with a 1; the others keep the length of the input.""")
PREDICTION_ACCEPTS = belief("""a wrong dtype is refused in every mode
In prediction nothing is computed, so nothing complains. A script that only predicts can hide a wrong dtype
for months; training meets it at the first step.""")
NAN_STAYS = belief("""a NaN that is dropped is gone
PyTorch multiplies, and 0 times NaN is NaN: dropping does not cure it. Only a framework that selects, as
Keras does, writes a 0 there, and hides the broken activation.""")
NUMPY_SEED = belief("""np.random.seed fixes every framework's masks
PyTorch's dropout draws from PyTorch's own generator. random.seed and np.random.seed set two other
generators, which it never asks.""")
EVAL_REPEATS = belief("""eval() makes a noisy output repeatable
The output repeats because nothing is dropped any more. eval() does not fix the masks, it switches dropout
off; a noisy output needs training mode and a seed.""")

# --- 07 ---

SAME_VARIANCE = belief("""dropout keeps the variance
Dropout keeps the mean, not the variance. Each activation h becomes 0 or h/q, which adds h^2 p/q to whatever
spread there was before.""")
SAME_VARIANCE_10 = SAME_VARIANCE.answered("""Dropout keeps the mean, not the variance: in training the masks
add noise to what the data does. Only at prediction time is the noise gone, and a running variance was
learnt with it.""")
NOISE_ONLY = belief("""the variance after dropout is the noise of the masks
That is the noise of the masks alone, the mean of h^2 p/q. Over data the activations differ as well, and the
two spreads add up: the law of total variance.""")
ZERO_MEAN = belief("""activations have mean 0, so their variance is divided by q
Var(h)/q is right only for activations of mean 0. What comes out of a ReLU is never negative, so its mean is
not 0, and dropout turns that mean into variance too: E[h]^2 p/q.""")
NO_PENALTY = belief("""the mean is kept, so the expected loss is kept
The mean prediction is kept, but the error is squared: the mean of a square is the squared mean plus the
variance. That variance, p/q times the sum of x^2 w^2, is the penalty.""")
PLAIN_L2 = belief("""input dropout is plain L2
Plain L2 charges every weight alike. Dropout charges a weight by the size of its column, the sum of x_ij^2;
the two agree only when all columns are standardised.""")
SAME_RATE = belief("""classical and inverted dropout share one learning rate
The classical inputs are q times as large, so the gradient is too; and its weights must end 1/q times as
large, so they have farther to go. Both together ask for the learning rate lr/q^2.""")
ONE_FACTOR = belief("""the learning rate must make up for the smaller gradient alone
That makes up for one of two factors. The gradient is q times as small, and the weights have 1/q times as
far to go: lr/q^2, not lr/q.""")
NO_FACTOR_LEFT = belief("""dropout is off at prediction, so nothing is multiplied there
With bare masks a unit speaks with weight q on average in training. With all units on and no factor at
prediction, the scores are 1/q times too large: nobody has rescaled.""")
EQUALLY_LIKELY = belief("""all subnetworks are equally likely
The masks are not equally likely unless p = 0.5. A mask that keeps k of n units has the probability p^(n-k)
(1-p)^k; weight each subnetwork by it.""")
SUMS_TO_ONE = belief("""a geometric mean of probabilities sums to one
A geometric mean of probabilities is not a distribution: by Jensen's inequality its sum is below 1. Divide
by the sum; the proof needs this step, where the normalisers cancel.""")
SAME_MEAN = belief("""the vote is the geometric mean
The vote averages probabilities, the geometric mean averages their logarithms. A subnetwork that gives a
class almost nothing pulls the second far down, and the first only a little.""")
ALWAYS_EXACT = belief("""weight scaling is exact for any net
The one pass averages SCORES. A softmax turns that into the geometric mean, not into the vote; and an
average does not pass through a bend, so behind a ReLU even the scores differ.""")
NEVER_EXACT = belief("""weight scaling is never exact
It is exact as long as nothing bends between the dropped units and the softmax: scores are linear in the
mask, so their mean is the score of the one pass, and the normalisers cancel.""")
HARMLESS = belief("""forgetting eval() costs nothing, since dropout keeps the mean
Dropout keeps the mean of an activation, not the mean of a loss. The loss is convex, so noise in the scores
raises it on average; and the same input gets another answer at the next call.""")
ENSEMBLE = belief("""with dropout left on, an ensemble answers
One pass with dropout on is ONE random subnetwork. The ensemble is the average of many passes; whoever
forgets the switch gets a single vote, and the average loss of single votes is higher.""")

# --- 08 ---

PROPORTIONAL = belief("""twice the p is twice the noise
The noise p/(1-p) does not grow in step with p: at 0.4 it is 0.67, at 0.8 it is 4. The scale of p is crowded
near 1; solve p/(1-p) = v for p = v/(1+v).""")
BEST_SEED = belief("""the best run of each setting may be compared
The best run of each setting is its luckiest: with more seeds it gets better without any change of the
setting. Compare means over all seeds, not lucky draws.""")
UNPAIRED = belief("""runs of different seeds may be subtracted
Those are differences between different seeds. The same seed means the same images and first weights, so
take the difference within each seed: then what both runs share cancels.""")
RANGE = belief("""lowest and highest are the interval
Lowest and highest say how far single seeds lie apart, and the more seeds, the wider. The interval is for the
mean: it narrows with more seeds. difference(first, second) gives it.""")
NORMAL = belief("""two standard errors do for any number of seeds
Two standard errors hold for many seeds. For a few, the scatter itself is known badly, and Student's t makes
the interval wider: difference(first, second) does so.""")
NULL_PROVED = belief("""an interval that holds 0 proves that there is no effect
The interval holds 0, and it also holds effects that would matter: it cannot tell. No effect is shown only
where the whole interval is smaller than what matters. More seeds would narrow it.""")
ONE_NET_SPEAKS = belief("""what one net shows holds for all
One net and one kind of images showed it. Change one thing, here the number of pixels, and look whether it
stays: if not, it was no rule.""")
NEAR_INPUT = belief("""a lower p belongs near the input, always
The advice of a lower p near the input is about the inputs themselves. The first hidden layer of this net
reads 784 pixels and has most of the weights: that is where few images are learnt by heart.""")
MORE_IS_BETTER = belief("""more is always better
More is better only up to a point. At p = 0.9 the noise p/(1-p) is 9 and a tenth of the units is at work:
the net can no longer learn even its training images.""")
TEST_CHOSEN = belief("""the test set may choose the best epoch
The test set has chosen the epoch, so its loss there is the lowest of many tries: too good, and no longer a
measurement on unseen data. Let the validation loss choose.""")
VAL_REPORTED = belief("""the loss that chose the epoch is an honest one
The validation loss chose the epoch, so at that epoch it is the lowest of many tries and too good. Report
the loss on data that had no part in the choice: the test loss at that epoch.""")
LAST_EPOCH = belief("""the last epoch is the one to keep
Early stopping keeps the weights of the best epoch, not those of the last one: by then the loss may have
turned up for a long time. Remember the epoch with the lowest validation loss.""")
NO_STOP = belief("""with dropout a net cannot be trained for too long
Dropout delays overfitting and weakens it; it does not abolish it. Trained long enough, the net with dropout
learns its images by heart as well, and its loss turns up.""")
ALWAYS_HELPS = belief("""dropout always helps
A small net underfits: it has no capacity to spare, and dropout takes many of its units away in each step.
Dropout cures overfitting; where there is none, it only costs.""")
BIG_NEEDS_NONE = belief("""a big net needs no dropout
The wide net has the most weights to learn images by heart with, so it overfits most, and there dropout
saves most. Its many units can spare the dropped ones.""")
ADD_UP = belief("""the gains of weight decay and dropout add up
The gains do not add up. Weight decay and dropout fight the same overfitting, and what one has cured the
other cannot cure again; the rest is the overlap.""")
TOO_MUCH = belief("""two strong cures are better than one
Of the decays, 1 is the best without dropout. Beside p = 0.5 the validation images prefer a weaker one: what
is best alone need not be best together, so tune both in one grid.""")

# --- 09 ---

ORDER_IRRELEVANT = belief("""before or after the activation is all the same
Before and after are the same for a ReLU, not for every activation: a dropped z = 0 must become 0, and the
factor 1/(1-p) of a kept one must pass through. A sigmoid fails in both.""")
ZERO_ENOUGH = belief("""before the activation is safe wherever g(0) = 0
g(0) = 0 only makes the dropped units silent. The kept ones were multiplied by 1/(1-p), and an activation
that bends does not hand that factor on, so the mean is not kept.""")
ALWAYS_AFTER = belief("""dropout must never stand before the activation
After is always right, but before is not always wrong: the ReLU gives 0 for 0, and a positive factor passes
through it, so both orders agree in every bit.""")
STILL_TALKS = belief("""a dropped unit is silent wherever dropout stands
Before the activation a dropped unit is not silent: its z becomes 0, and a sigmoid answers 0.5 to that. So
the share p counts with 0.5, not with 0.""")
MEAN_KEPT = belief("""the rescaling keeps the mean through any activation
The rescaling keeps the mean of what it multiplies, here of z. A sigmoid stands after it, and the mean of a
bent function is not the function of the mean.""")
ON_THE_OUTPUT = belief("""dropout goes after every layer, the output too
A dropped logit is 0, not silent, and no later layer can make up for it. It only puts a floor under the
loss, which no training lowers: dropout stands between layers, never on the output.""")
NO_FLOOR = belief("""enough training brings every loss to 0
Training cannot lower this loss: whenever both logits are dropped they are both 0, and even a net that is
right and infinitely sure then pays log 2.""")
TIED_MASK = belief("""tying a mask in time changes nothing
Independent draws average out: what one position hides, the others still tell. One draw for all of them
hides it everywhere, so its noise does not fall as T grows.""")
CARRIED_STATE = belief("""a tied mask may stand on the carried state
The carried state itself was multiplied, again at every step: after T steps a kept unit has grown by 1/(1-p)
to the power T, and a dropped one has lost its past. Mask what is read, not what is carried.""")
RESCALING_EXPLODES = belief("""it is the rescaling that makes the state explode
Without 1/(1-p) nothing explodes, but the mask still stands on the carried state: a dropped unit forgets its
past at every step. Keep the factor, and move it to what is read.""")
NO_DROPOUT = belief("""a state that is carried allows no dropout
That cures the explosion by leaving recurrent dropout out. It is not the mask that was wrong but its place:
W may read a masked copy of the state.""")
SUM_KEPT = belief("""after dropout attention still sums to 1
After dropout the weights of a row are not divided by their sum again. They sum to 1 only in the mean;
dividing by the sum would push single weights off their own mean.""")
MASKED_SCORES = belief("""a score of 0 is a position that is not there
The mask acted on the scores, before the softmax. There a 0 is not a missing position: exp(0) = 1 gets a
share like any other score. Drop the weights, after the softmax.""")
ONE_MASK_09 = belief("""one mask serves all queries
All queries share one mask, so what one of them loses is lost to all. Each pair of query and key must throw
its own coin, as each example of a batch does.""")
LOWER_FIRST = belief("""a lower p near the input is always better
The advice is a rule of thumb. Whether it holds here is what the interval of the stored runs says;
if it holds 0, they do not know.""")
LATE_LEADS = belief("""what leads late in training leads early-stopped, too
Late, the swapped order is far ahead, since it has overfitted less by then. With both nets stopped in time
that is gone: the interval of the ten stopped pairs holds 0.""")
NORMAL_09 = belief("""two standard errors make a 95 % interval
With six pairs the standard error is itself a guess, so the interval is wider: 2.57 standard errors, not 1.96.
Student's t with n - 1 degrees of freedom knows by how much.""")
UNPAIRED_09 = belief("""seeds need no pairing
The seed chooses images, weights, batches and masks, so two runs with the same seed share their luck.
Subtract seed by seed first; the spread of these differences is what counts.""")

# --- 10 ---

ONLY_Q = belief("""the variance shift is 1-p, whatever the mean
The variance over the data is divided by 1-p, but that is not all. A unit that is mostly on jumps between 0
and h/(1-p), so its mean makes noise as well: mean^2 p/(1-p).""")
OLD_SHARE = belief("""momentum means the same in every framework
PyTorch's momentum is the share of the NEW value. Keras and Gluon call the share of the OLD one momentum, so
0.99 there is 0.01 here.""")
BIASED_VARIANCE = belief("""the running variance is the mean of the batches' variances
PyTorch normalises the batch with a variance over n, but stores a running variance over n - 1. With small
batches the two differ by a lot: n = 5 makes it 1.25 times as large.""")
LEAK = belief("""a scaler may see all rows, since it sees no labels
The scaler saw the test rows, so rows that should be unknown change what the net learns from. That no
label was used does not help: mean and standard deviation come from the training part alone.""")
OWN_SCALER = belief("""the test part needs a scaler of its own
The test part was put on a scale of its own. Then the same wine means one thing in training and another in
the test, and a single new row has no spread at all. Use the training part's numbers.""")
BATCH_OF_ONE = belief("""a batch of one is only slow
The variance of one number is 0, so in training mode batch norm answers beta whatever the input was. PyTorch
refuses, Keras and Gluon say nothing: such a batch teaches nothing.""")
SAME_ONE = belief("""it does not matter which example is left out
The same example is left out in every epoch, so the net never learns from it. Leave one out after the
shuffle, and it is another one each time.""")
ONE_ORDER = belief("""there is one right order of batch norm and dropout
No order inside a block is the right one by itself: the next block's batch norm stands behind this block's
dropout, with a linear layer between. What counts is whether any dropout comes before.""")
HANDED_ON = belief("""only the first batch norm after a dropout is shifted
The first batch norm hands the shift on: with a running variance that is too large, its output at prediction
time is smaller than in training, so the next one meets a smaller variance too.""")
WEIGHTS_ONLY = belief("""the weights are all that a net holds
parameters() holds what gradients move. Running statistics are buffers: they are in state_dict(), a forward
pass in training mode moves them, and no weight shows it.""")
UNSEEDED = belief("""two calls differ only in what I changed
The masks differed as well, and that was blamed on the company. Two calls differ in what you changed and in
every random draw: set the same seed before both, and keep the number of rows.""")
MC_TRAIN_10 = belief("""net.train() is harmless for Monte Carlo dropout with batch norm
net.train() switches batch norm as well: each image is judged by its company, and every pass moves the
running statistics, even under no_grad(). Switch the dropout modules alone.""")
PUT_BACK = belief("""a net that comes back unharmed has predicted well
Putting the statistics back repairs the net, not the predictions: while the loop ran, batch norm used the
batch's own mean and variance, so each image was judged by its company.""")

# --- 11 ---

KERAS_CALL = belief("""a Keras call drops by itself
A plain Keras call is a prediction: its default is training=None, which means off outside fit. For Monte
Carlo passes say training=True in every call, or use a layer whose call always drops.""")
SEED_IN_LOOP = belief("""a seed in the loop makes Monte Carlo repeatable
A seed in front of every pass draws the same masks every time. The passes are copies of each other, and
their standard deviation is 0. Set the seed once, before the loop.""")
RECORD_DROPS = belief("""record() always switches dropout on
record() switches two things, recording and the mode. With train_mode=False it records, and the mode stays
at prediction, so nothing is dropped.""")
NEEDS_RECORD_11 = belief("""Monte Carlo in MXNet needs record()
Recording is for gradients, and dropout does not need it. autograd.train_mode() switches the mode alone,
which is all that a Monte Carlo pass needs.""")
MC_TRAIN_11 = belief("""net.train() is harmless for MC when there is batch norm
net.train() switches batch normalisation as well: it then uses each batch's own statistics, and every pass
moves its running statistics, even under no_grad(). Switch the Dropout modules alone.""")
EVAL_ALONE = belief("""eval() alone belongs before every prediction
eval() is right for every layer but one: it switches dropout off too, so all passes are the same
weight-scaled answer. Put the Dropout modules, and nothing else, back into training mode.""")
AVERAGED = belief("""the average of the passes is all one needs
The passes were averaged away. What Monte Carlo dropout adds is their spread, so keep them all, and average
afterwards: with the first axis gone, no later line can tell how much they disagreed.""")
LOGITS = belief("""logits may be averaged
Averaging logits gives another prediction, the normalised geometric mean of the passes, and most of the
Monte Carlo gain is gone. Take the softmax of each pass, then average probabilities.""")
LEFT_ON = belief("""dropout may stay on after Monte Carlo
Dropout was left on. The next person who predicts with this net gets one random pass, which is worse than
weight scaling, and no message says so.""")
AFTER_MEAN = belief("""mean first, standard deviation next
The mean came first and removed the axis of the passes, so axis 0 is now the examples. What came out is how
much the images differ, the same row for every image, and not how much the passes disagree.""")
CLASSES = belief("""the spread over the classes is the doubt
That is the spread over the classes: large when the net is sure, 0 when it says the same of every class.
Doubt is the spread over the passes, axis 0.""")
STANDARD_ERROR = belief("""more passes make the passes agree
Divided by sqrt(T), it is the error of the average, and falls as you draw more passes. How much the passes
disagree is their own standard deviation, which does not depend on T.""")
UP_TO_HALF = belief("""the std of a probability may always be up to one half
One half is the largest standard deviation only for a mean of one half. At a mean of 0 all the numbers are 0
and so is their standard deviation; in between the bound is sqrt(m (1-m)).""")
INTERVAL = belief("""mean plus or minus std must stay between 0 and 1
Mean minus standard deviation may well be below 0: nine zeros and a single 1 have mean .1 and standard
deviation .3. The values stay in [0, 1], the interval need not. The bound is sqrt(m (1-m)).""")
TOTAL_ENTROPY = belief("""entropy of the mean is the net's disagreement
That is the entropy of the mean, which counts all doubt. Passes that agree on fifty-fifty have as much of it
as passes that contradict each other; subtract the mean entropy of the single passes.""")
MEAN_ENTROPY = belief("""the mean entropy of the passes is their disagreement
That is the mean entropy of the single passes: how undecided each is by itself. It is what has to be
subtracted, from the entropy of the mean.""")
TERMS_SWAPPED = belief("""averaging passes makes the answer surer
The two terms are the wrong way round. Averaging makes a distribution flatter, so the entropy of the mean is
the larger one, and the difference is never below 0.""")
ZERO_LOG_ZERO = belief("""a computer knows that 0 ln 0 is 0
At a probability of 0 the computer's 0 times ln 0 is NaN, although the limit is 0. A sure pass has such
zeros, and one NaN spoils every later mean: let them add nothing.""")
ONE_OVER_T = belief("""ten times the passes, a tenth of the noise
The variance of an average falls like 1/T, so its standard deviation falls only like 1/sqrt(T). Ten times
less noise costs a hundred times the passes.""")
MEAN_OF_NLLS = belief("""the mean of the scores is the score of the mean
That averages the scores of single passes, and so it does not depend on the size of the group. Average the
probabilities first and score the average: its NLL is never worse, because -ln is convex.""")
ONE_PASS = belief("""one Monte Carlo pass beats weight scaling
A single pass is one thinned subnetwork: it pays for the noise, and nothing is averaged yet. Weight scaling
is close to an average of all of them. Monte Carlo pays after several passes.""")
POSTERIOR = belief("""MC dropout is the true posterior and shrinks with data
A posterior sharpens with evidence; this spread does not. The fitted weights tend to q times the true w, so
the variance tends to p q sum (w_j x_j)^2, and there is no N in it.""")
NO_PENALTY_11 = belief("""the masks average out of the loss
That is plain least squares. The masks average to 1 and leave the mean of f alone, but they add variance,
and a squared error counts it: (p/q) sum_j w_j^2 sum_i x_ij^2 comes on top.""")
OUTVOTED = belief("""enough data outvote the dropout penalty
That penalty does not grow with N, so the data would outvote it. Dropout draws a mask for every example:
each one adds its own x_ij^2 to the penalty, which keeps pace with the data for ever.""")

# --- 12 ---

IS_ACCURACY = belief("""calibration is accuracy
That is 1 minus the accuracy. Calibration asks something else: does the share of right answers agree with
the number said? Whoever says .8 and is right on 80 percent has an ECE of 0.""")
ECE_ALONE = belief("""the net with the smallest ECE is the best
An ECE of 0 needs no knowledge: say .1 of each of ten classes and be right on a tenth. ECE is not a proper
score, so never let it choose alone. The NLL puts the ignorant forecaster last.""")
SIGNED_BINS = belief("""too shy here makes up for too sure there
The differences were added with their signs, so a bin that is too sure made up for one that is too shy. Take
the absolute value in each bin, before the sum.""")
EACH_ANSWER = belief("""a single answer shows whether a confidence was right
One answer is right or wrong, 1 or 0, so each by itself is far from a confidence of .7, even if the net
keeps its word. Only a share over many answers can agree with it: average within the bin first.""")
TRUE_CLASS = belief("""the confidence is the probability of the true class
The probability of the true class is not a confidence: whoever predicts does not know that class. The net
says the probability of its top class; bin that one.""")
EMPTY_BIN = belief("""an empty bin has a mean
A bin without answers has no mean: 0 divided by 0 is NaN, and it spoils the sum. Such a bin has weight 0, so
leave it out.""")
NEW_ORDER = belief("""a temperature changes the accuracy
All logits of an image are divided by the same positive number, so their order stays and with it the top
class. A temperature changes how sure the answers are, never which they are.""")
HOTTER = belief("""a higher temperature makes a net surer
Multiplying makes the net surer: that is the temperature upside down. A high temperature means that the
logits are divided, the probabilities come closer together, and the net is less sure.""")
DIVIDES_PROBABILITIES = belief("""a temperature divides the probabilities
The temperature divides the logits, before the softmax. Probabilities divided by one number and made to sum
to 1 again are what they were; a second softmax of them makes every net nearly ignorant.""")
ON_TEST = belief("""a single number may be fitted on the test images
The labels of the test images helped to choose the temperature, so they no longer judge it: the NLL is
better than on images to come. One number is fitted all the same. Choose on validation images alone.""")
ON_TRAIN = belief("""the training images are best for every fit
The net has learnt the training images by heart and is right about nearly all of them. There is nothing to
repair on them, so the fit makes the net surer still. Choose on images that it has not seen.""")
JUDGED = belief("""what chose a setting may also judge it
The images that chose the temperature were also asked how good it is, and of course it suits them. Choose on
the validation images, and judge on the test images.""")
MC_ALWAYS_WINS = belief("""Monte Carlo dropout always improves the confidence
At 20,000 images and p = .5 its ECE is above that of weight scaling in every draw. Averaging over masks makes
a net less sure, wanted or not: good for a net that is too sure, harmful for one that is not.""")
ONLY_PASSES = belief("""no single number does what fifty passes do
One temperature, without any mask, gets most of it. The net was too sure of everything, and a single number
can repair that. Only the rest is what the passes know about single images.""")
NO_MORE = belief("""Monte Carlo dropout is nothing but a temperature
A temperature is most of the gain and not all of it: in every draw of 2,000 images Monte Carlo stays ahead by
a hundredth of a nat or more, because its doubt depends on the image and a temperature's does not.""")
TIES = belief("""a tie needs no rule
Ties need a rule, and half a win is the fair one: a score that is the same for every image knows nothing,
and only so it gets .5, the value of a coin.""")
DIRECTION_OF_SCORE = belief("""the direction of a score does not matter
The direction is turned round: the scores are doubts, so a stranger should score higher. An AUROC far below
.5 is nearly always a sign the wrong way round, not a bad score.""")
THRESHOLD = belief("""AUROC is an accuracy at some threshold
AUROC needs no threshold. It compares every stranger with every known image and depends on the order alone,
so a score measured in other units keeps it. An accuracy at .5 does not.""")
ONE_FOR_ALL = belief("""the best measure of doubt is the best for every job
There are two jobs. Passes disagree about what they have never seen, so mutual information finds strangers.
An error is often a close call that the passes agree on; there it is the worst of the three.""")

# --- 13 ---

REMOVES_WEIGHTS = belief("""dropout removes weights
Dropout removes no weight. It throws one coin per unit and sets that unit's output to 0 for one example.
Coins for single weights are DropConnect, and that removes nothing either: every weight is back in the next
step.""")
ONE_MASK_13 = belief("""one mask per batch
All examples of the batch share one mask. Each example must throw its own coins, or the noise of the batch
no longer averages out and the loss jumps.""")
BELL_CURVE = belief("""the bell-curve stand-in is DropConnect
A bell curve with DropConnect's mean and variance is a stand-in, not DropConnect. Few inputs show the
difference: a single weight gives 0 or 1/(1-p) times its value, and nothing between.""")
DROPOUT_RENAMED = belief("""DropConnect is dropout under another name
If all weights that leave a unit share one coin, that is dropout: two outputs then shake together.
DropConnect throws one coin per weight, so the noises of two outputs are independent, with covariance 0.""")
EQUAL_VARIANCE = belief("""equal variance per unit is equal noise
Equal variance at each unit is not equal noise for the net. Under dropout two units read the same silenced
input and shake together, so the layer behind them may add their noise up; under DropConnect each shakes
alone. Whether a net feels it is for the interval to say.""")
ALWAYS_TWO = belief("""three-level noise always has g = 2
g = 2 belongs to equal probabilities. The mean of the factor is g/2 times the probability of g/2, plus g
times that of g. Other probabilities need another g.""")
SHARE_OF_ZEROS = belief("""the share of zeros is the strength of a noise
The share of zeros does not say how strong a noise is: the other values scatter as well. Compare noises by
their variance, and ask which p has p/(1-p) equal to it.""")
VARIANCE_AS_STD = belief("""a variance is as good as a standard deviation, as p = 0.5 shows
rng.normal wants a standard deviation and got a variance. At p = 0.5 the variance is 1, and so is its root:
the test was run at the one p that hides the bug.""")
NO_NEGATIVE = belief("""a factor must not be negative
A factor below 0 is no bug. It turns the sign of a unit for one step; cut it off and the mean is no longer
1, nor the variance p/(1-p).""")
SWITCHES_OFF = belief("""Gaussian dropout switches units off
That is binary dropout. Gaussian dropout switches nothing off: its bell curve shakes every unit and never
draws an exact 0, with the same mean and variance.""")
NOISE_ADDED = belief("""Gaussian dropout adds noise
The noise multiplies, so a large activation is shaken in proportion and a 0 stays 0. Noise that is added has
one size for all.""")
SURVIVAL = belief("""every paper's p is the drop probability
This paper's p is the probability that a block SURVIVES, the opposite of this course's p. Read which of the
two it is before you type a number from a paper.""")
SHALLOW = belief("""stochastic depth leaves a shallower net
Blocks are skipped in training alone, others in each step. At prediction every block is computed: nothing was
removed, so the net has its full depth.""")
UNPAIRED_13 = belief("""runs with the same seeds are compared mean against mean
Run k of both arms started from the same seed, so a lucky start helps both. Subtract seed by seed first and
take the scatter of the differences: the common luck cancels.""")
SCATTER = belief("""the spread of the runs is the error of their mean
The standard deviation tells how far one draw lies from the mean. The mean of n draws is surer than that: its
error is the standard deviation divided by sqrt(n), and the interval is t times that error.""")
SMALLER = belief("""two means that differ belong to methods that differ
Two means always differ. Whether that means anything depends on the interval: methods are different where all
of it lies beyond what would matter, and the same only where all of it lies within.""")

# --- 14 ---

SAME_AGAIN = belief("""to compute again is to compute the same
A generator moves on with every number. Whoever computes a layer again draws the next mask, not the same one,
unless the generator is first put back to where it stood.""")
AGAIN_IS_OTHER = belief("""recomputation always draws another mask
It does so only where the generator has moved on. checkpoint puts PyTorch's generator back to its state of the
way forward, so the second mask is the first.""")
WOUND_BACK = belief("""a generator that was wound back does no harm
The generator was left where it stood long ago, so it will now repeat masks that other layers and steps have
had. Remember where it stands, draw again, and put it there.""")
ONE_FOR_EVER = belief("""a mask that is the same again may be the same for ever
The step does not change your mask. The same mask in every step trains one thinned net alone; its other units
never learn.""")
LAYERS_SHARE = belief("""two layers may share a mask
The layer does not change your mask. Layers of one shape would drop the same places together, in every step;
their coins must be independent.""")
WORKERS_SHARE = belief("""workers may share a mask
The worker does not change your mask, so a batch has only as many masks as one worker has rows. With one row
each, that is one mask for all, and it costs.""")
SUM_AS_KEY = belief("""a sum of seed, layer and step is a key
Different seeds, layers and steps can have one sum: layer 3 in step 2 would repeat layer 2 in step 3. Hand the
numbers over side by side, as a key or a list.""")
GLOBAL_KEY = belief("""np.random.seed is as good as a key
np.random has one generator for the whole program. Seeding it here changes what everybody else draws next;
make a generator inside the function instead.""")
ANY_WORD = belief("""any word of the counter will do
The generator itself counts in the first word. A step or worker that stands there begins where the one before
it has got to after a few numbers: the two have one stream of coins, shifted.""")
BOOL_IS_BIT = belief("""a bool takes one bit
NumPy and PyTorch store a bool in a whole byte, because memory is addressed by bytes. One bit a unit needs
packing, such as np.packbits.""")
STATE_GROWS = belief("""the state grows with the mask
The state describes the generator, not what is drawn from it: its size is the same for ten units and for ten
millions.""")
ONLY_REPRODUCIBLE = belief("""without the state only reproducibility is lost
The outputs are as random as before, but the gradient is taken with another mask than the loss. That is a
wrong gradient, not a run that is hard to repeat.""")
EVERY_STATE = belief("""checkpointing keeps the state of every generator
It keeps the state of PyTorch's own generators. A generator that you made, or the counter of a Keras layer,
lies elsewhere: it moves on, and the second mask is another.""")
ONLY_MEMORY = belief("""a memory setting changes memory alone
Below 1 the compiler chooses what to compute again on the way back, and the drawing of a mask may be among it.
Then the second mask is another, and nothing says so.""")
EQUAL_COUNTS = belief("""equal counts are equal masks
Two masks can keep equally many units and yet be different units. Compare them unit by unit: is the output
other than 0 just where the gradient is?""")

# --- 15 ---

STEP_IS_PASS = belief("""a step is a pass
A step sees one batch, a pass is the whole text. Ask how many characters a step predicts, and how many the
text has.""")
WINDOW_IS_CHARACTER = belief("""a window is one example
A window of 64 characters is 64 examples for a language model: it predicts each of them from those before.""")
ONE_WINDOW = belief("""a step sees one window
A batch holds several windows, and all of them are used up by one step.""")
FUNCTION_KNOWS = belief("""dropout in attention is off by itself
A function of tensors has no mode. It drops whenever drop_prob is above 0, unless you tell it that you do not
train.""")
ONE_FOR_QUERIES = belief("""all positions share one attention mask
With one mask for all queries, a position that is dropped is dropped for every reader at once. Attention
dropout flips a coin for each pair of query and key.""")
BARE_WEIGHTS = belief("""attention weights need no rescaling
Without the factor 1/(1-p) every position's sum of values is too small by 1-p while you train, and the layer
behind sees larger inputs as soon as dropout is off.""")
SUM_TO_ONE = belief("""attention weights sum to 1 after dropout
Dropped before the softmax, or normalised again behind it, the others take over the share of what was
dropped. Dropout of attention comes behind the softmax and multiplies by 1/(1-p): the sum is 1 on average
only.""")
ONE_HEAD = belief("""the heads share one table of weights
Each head has queries and keys of its own, and so a table of its own.""")
ONE_LAYER = belief("""only one layer's tables are kept
The way back needs the tables of every layer, and it begins when all of the way forward is done.""")
ONE_TABLE = belief("""one table a head is enough for the way back
It needs the weights for the softmax, the mask, and the masked weights for the product with the values: three
tables.""")
ROW_NOT_TABLE = belief("""attention's memory grows with the length
Every position has a weight for every other: a table of length times length. Twice the length makes it four
times as large.""")
PATH_IS_DROPOUT = belief("""DropPath is dropout behind a branch
DropPath drops a branch as a whole: all positions and units of an example have one coin.""")
PATH_IS_LAYER = belief("""DropPath drops for the batch
One coin for the whole batch is LayerDrop. DropPath, as timm has it, flips one for each example.""")
NO_RESCALING_15 = NO_RESCALING.answered("""Kept branches need the factor 1/(1-p), so that the branch adds as
much on average as it will when nothing is dropped.""")

# --- 16 ---

ONLY_USED = belief("""two passes agree only if the layer is used in both
They also agree if it is skipped in both. Add the probability of that: the coin falls the same way twice.""")
ONE_COIN = belief("""two passes throw one coin
Each pass throws a coin of its own. Two passes agree if both coins fall the same way, not if one falls
well.""")
PAIRS = belief("""passes that all agree are so many agreeing pairs
You multiplied the probability of a pair. The passes share their first: n passes agree if n coins all fall
one way, which is 0.8**n + 0.2**n, more than 0.68**n.""")
EVAL_THAWS = belief("""eval() and train() reach a traced net
They set its flags, and nothing else. The trace is a list of operations; dropout is in it, or it is not,
as the mode was when it was written.""")
ONE_FILE = belief("""a file that holds dropout drops
A runtime may change the list before it runs it. ONNX Runtime deletes dropout when it optimises, which is
what it does unless you say otherwise.""")
RUNTIME_CARES = belief("""an inference runtime never drops
It runs what stands in the file. Without its optimisations the dropout of a net that was written in train
mode is still there, and it draws masks.""")
BUILT_STAYS = belief("""a Keras layer keeps the mode it was built with
What the outer call says comes first: predict says training=False to every layer, also to one that was
built with training=True. Only a call that says nothing leaves it on.""")
SAME_STATE = belief("""a generator in the same state was not used
A call that seeds the generator itself leaves it in the same place every time, and that is where it stood
before. Move the generator yourself first, then remember its state, then call.""")
MOVED_BY_YOU = belief("""any number drawn since is the call's
The number that you drew yourself moved the generator, too. Move it first, remember its state after that,
and only then call.""")
BIT_EQUAL = belief("""without dropout two answers are equal to the last bit
Batches of another size are multiplied in another order, and a GPU may add in another order at each call.
So leave room for rounding, in proportion to the answers.""")
ABSOLUTE = belief("""a tolerance is a fixed number
Answers of 1e-10 all lie within the 1e-8 that np.allclose allows by itself, dropped or not. Set atol by
the size of the answers.""")
TWO_PASSES = belief("""two equal passes prove that dropout is off
A coin that falls in one call of ten leaves two passes equal in 82 of 100 cases. Take many passes before
you call it off.""")
SAME_PLACE = belief("""what repeats does not drop
A mask that is kept for each place in the batch repeats in every pass. Ask the same rows in another order.""")
SAME_COMPANY = belief("""the other rows of a batch do not matter
They do where a layer uses the batch, as batch norm in train mode does: an example's answer then depends
on who stands beside it. Ask a part of the batch alone.""")

# The ideas that each exercise answers by name, by chapter.
MET_IN = {
    "01": {
        "noise": (CHANCE, BY_HEART, SURE_OF_NOTHING),
        "calibration": (BINS_CANCEL, EQUAL_BINS),
        "gaps": (ONE_DIRECTION, OWN_CLASS, RAW_LOGIT),
        "report": (PRINTED, VALIDATION_BUG, CURED),
        "sure": (LOWER_CONFIDENCE, AS_TRAINED),
        "seeds": (RANGES, SCATTER, NORMAL, UNPAIRED_13, ONE_RUN, FEWER_ERRORS),
    },
    "02": {
        "count": (KEEP_02, EXACT),
        "moments": (KEEP_02, NO_RESCALING),
        "recipe": (REMOVES, TWICE, KEEP_02, NO_RESCALING),
        "apart": (MEAN_ENOUGH,),
        "steady": (STEADY,),
        "speed": (FASTER,),
    },
    "03": {
        "switch": (OWN_LOOP, PLAIN_CALL, FROZEN, VALIDATION_ON),
        "count": (REMOVES_03, THINNED, KEEP_03),
        "layer": (KEEP_03, NO_SWITCH, TWICE_03, NO_RESCALING_03, ONE_MASK, FIXED_SEED, EXACT_03, GRAPH),
        "loop": (OWN_LOOP, EVERYWHERE),
        "shapes": (ONE_MASK, NO_BATCH_AXIS, TURNED_ROUND),
        "stopping": (BEST_BY_ITSELF, ALWAYS_LAST, FORESIGHT, PREVIOUS_EPOCH),
    },
    "04": {
        "modes": (NO_GRAD, NEW_MODULE, FUNCTIONAL),
        "predict": (NO_GRAD, LEFT_OFF, MC_TRAIN, ONE_FLAG),
        "functional": (FUNCTIONAL, KEEP_04),
        "channels": (ONE_MASK, PIXELS, KEEP_04),
        "monte_carlo": (MC_TRAIN,),
        "losses": (VALIDATION_BUG_04,),
    },
    "05": {
        "modes": (OUTSIDE, RECORDING, NEEDS_RECORD, INNERMOST),
        "block": (RECORDING, BY_ITSELF, DETACHED, KEEP_05, NO_RESCALING_05, ONE_MASK_05),
        "evaluate": (RECORDED, SCOPE),
        "step": (RECORDING, DIVIDED_TWICE, SUMMED),
        "rate": (ONE_IS_NAN, SILENT, COMPARE, KEEP_05, NO_RESCALING_05, ONE_MASK_05),
        "control": (ONE_RUN_05, SMALL_MEAN),
    },
    "06": {
        "recover": (ZERO_IS_DROPPED, OUTPUT_OVER_INPUT, SHARE_IS_P),
        "ports": (ONLY_LOGITS, FLOAT32, SAME_SEED, SHAPES_FIT, NO_ABS),
        "settings": (KEEP_06, TWICE_06, MOMENTUM, SAME_DEFAULTS),
        "axes": (AXES_THAT_THROW, ONE_MASK_06),
        "edges": (ONE_IS_NAN_06, SILENT_06, PREDICTION_ACCEPTS, NAN_STAYS),
        "seed": (NUMPY_SEED, EVAL_REPEATS),
    },
    "07": {
        "variance": (SAME_VARIANCE, NOISE_ONLY, ZERO_MEAN, KEEP_07, NO_RESCALING_07),
        "ridge": (NO_PENALTY, PLAIN_L2, KEEP_07),
        "classical": (SAME_RATE, ONE_FACTOR, NO_FACTOR_LEFT, TWICE_07),
        "subnetworks": (EQUALLY_LIKELY, NO_RESCALING_07, KEEP_07, SUMS_TO_ONE, SAME_MEAN),
        "exact": (ALWAYS_EXACT, NEVER_EXACT),
        "left_on": (HARMLESS, ENSEMBLE),
    },
    "08": {
        "numbers": (PROPORTIONAL, KEEP_08),
        "pairs": (ONE_RUN_08, BEST_SEED, UNPAIRED, RANGE, NORMAL),
        "layers": (NEAR_INPUT, MORE_IS_BETTER, ONE_NET_SPEAKS),
        "epochs": (TEST_CHOSEN, VAL_REPORTED, LAST_EPOCH, NO_STOP, FASTER_08),
        "width": (ALWAYS_HELPS, BIG_NEEDS_NONE, NULL_PROVED),
        "decay": (ADD_UP, TOO_MUCH),
        "own": (ONE_RUN_08, BEST_SEED, UNPAIRED, RANGE, NORMAL),
    },
    "09": {
        "order": (ORDER_IRRELEVANT, ZERO_ENOUGH, ALWAYS_AFTER),
        "mean": (STILL_TALKS, MEAN_KEPT, KEEP),
        "output": (ON_THE_OUTPUT, NO_FLOOR, KEEP),
        "neighbours": (KEEP, PIXELS_09, TIED_MASK),
        "memory": (CARRIED_STATE, RESCALING_EXPLODES, NO_DROPOUT),
        "attention": (SUM_KEPT, MASKED_SCORES, ONE_MASK_09, KEEP),
        "swapped": (LOWER_FIRST, LATE_LEADS, UNPAIRED_09, NORMAL_09, ONE_RUN_09),
    },
    "10": {
        "ratio": (SAME_VARIANCE_10, ONLY_Q, KEEP),
        "running": (OLD_SHARE, BIASED_VARIANCE),
        "scaler": (LEAK, OWN_SCALER),
        "batches": (BATCH_OF_ONE, SAME_ONE),
        "fooled": (ONE_ORDER, HANDED_ON),
        "audit": (WEIGHTS_ONLY, UNSEEDED, MC_TRAIN_10, PUT_BACK),
    },
    "11": {
        "switches": (NO_GRAD_11, KERAS_CALL, SEED_IN_LOOP, OUTSIDE_11, RECORD_DROPS, NEEDS_RECORD_11),
        "loop": (SEED_IN_LOOP, MC_TRAIN_11, EVAL_ALONE, AVERAGED, LOGITS, LEFT_ON),
        "summary": (AFTER_MEAN, CLASSES, STANDARD_ERROR, UP_TO_HALF, INTERVAL),
        "information": (TOTAL_ENTROPY, MEAN_ENTROPY, TERMS_SWAPPED, ZERO_LOG_ZERO),
        "passes": (LOGITS, ONE_OVER_T, MEAN_OF_NLLS, ONE_PASS),
        "shrink": (POSTERIOR, NO_PENALTY_11, OUTVOTED, KEEP_11),
    },
    "12": {
        "forecasters": (LOWER_CONFIDENCE_12, IS_ACCURACY, ECE_ALONE),
        "ece": (EQUAL_BINS_12, SIGNED_BINS, EACH_ANSWER, TRUE_CLASS, EMPTY_BIN),
        "temperature": (NEW_ORDER, HOTTER, DIVIDES_PROBABILITIES),
        "report": (ON_TEST, ON_TRAIN, JUDGED),
        "wins": (MC_ALWAYS_WINS, ONLY_PASSES, NO_MORE),
        "auroc": (TIES, DIRECTION_OF_SCORE, THRESHOLD, ONE_FOR_ALL),
    },
    "13": {
        "coins": (REMOVES_WEIGHTS, ONE_MASK_13, DROPOUT_RENAMED),
        "dropconnect": (REMOVES_WEIGHTS, ONE_MASK_13, BELL_CURVE, DROPOUT_RENAMED, NO_RESCALING_13, KEEP_13),
        "sums": (DROPOUT_RENAMED, NO_RESCALING_13, KEEP_13, EQUAL_VARIANCE),
        "levels": (NO_RESCALING_13, ALWAYS_TWO, SHARE_OF_ZEROS),
        "bell": (ONE_MASK_13, KEEP_13, VARIANCE_AS_STD, NO_NEGATIVE, SWITCHES_OFF, NOISE_ADDED),
        "depth": (SURVIVAL, SHALLOW),
        "tie": (EQUAL_VARIANCE, UNPAIRED_13, SCATTER, SMALLER),
    },
    "14": {
        "both": (KEEP, SAME_AGAIN, AGAIN_IS_OTHER),
        "redraw": (SAME_AGAIN, WOUND_BACK, UNSCALED_GRADIENT),
        "keyed": (GLOBAL_KEY, KEEP, ONE_FOR_EVER, LAYERS_SHARE, WORKERS_SHARE, SUM_AS_KEY, ANY_WORD),
        "bytes": (BOOL_IS_BIT, STATE_GROWS),
        "again": (AGAIN_IS_OTHER, ONLY_REPRODUCIBLE, EVERY_STATE, ONLY_MEMORY),
        "detect": (EQUAL_COUNTS,),
    },
    "15": {
        "passes": (STEP_IS_PASS, WINDOW_IS_CHARACTER, ONE_WINDOW),
        "attend": (FUNCTION_KNOWS, KEEP, ONE_FOR_QUERIES, BARE_WEIGHTS, SUM_TO_ONE),
        "tables": (ONE_HEAD, ONE_LAYER, ONE_TABLE, ROW_NOT_TABLE),
        "path": (PATH_IS_DROPOUT, PATH_IS_LAYER, KEEP, NO_RESCALING_15),
    },
    "16": {
        "coin": (ONLY_USED, ONE_COIN, PAIRS),
        "frozen": (EVAL_THAWS, ONE_FILE, RUNTIME_CARES, BUILT_STAYS),
        "draws": (MOVED_BY_YOU, SAME_STATE),
        "is_off": (BIT_EQUAL, ABSOLUTE, TWO_PASSES, SAME_PLACE, SAME_COMPANY),
    },
}

# The same for the cells that a learner writes inside a chapter.
MET_IN_TURNS = {
    "01": {"mask": (KEEP_02, EXACT, ONE_MASK_02)},
    "02": {
        "mask": (KEEP_02, EXACT, ONE_MASK_02),
        "factor": (KEEP_02, NO_RESCALING, ONE_MASK_02),
        "backward": (UNMASKED_GRADIENT, UNSCALED_GRADIENT),
        "step": (UPHILL, REBOUND),
    },
    "03": {
        "switch": (PLAIN_CALL, EVERYWHERE),
        "arithmetic": (NO_RESCALING, KEEP_03, TURNED_MASK, NAN_TIMES_ZERO),
        "config": (KEPT_BY_KERAS, OWN_SETTINGS),
    },
    "04": {
        "layer": (NEW_MODULE, ONE_MASK, KEEP_04, NO_RESCALING, ALWAYS_ON),
        "step": (ADDS_UP, ZEROED),
        "evaluating": (LEFT_OFF, ONE_FLAG),
    },
    "05": {
        "dropout": (KEEP_05, NO_RESCALING_05, ONE_MASK_05),
        "switch": (BY_ITSELF, RECORDING, NEEDS_RECORD),
        "step": (RECORDING, DIVIDED_TWICE),
    },
}
