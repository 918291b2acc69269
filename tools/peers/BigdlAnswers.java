// SPDX-License-Identifier: Apache-2.0
// What BigDL computes of a model that it loads, for third_party.py. BigDL's jar and Spark's are in the class path.
//
//   java -cp CLASSPATH BigdlAnswers.java MODEL WEIGHTS|- 1x3x5 ANSWERS
//
import com.intel.analytics.bigdl.nn.abstractnn.AbstractModule;
import com.intel.analytics.bigdl.nn.abstractnn.Activity;
import com.intel.analytics.bigdl.serialization.Bigdl.BigDLModule;
import com.intel.analytics.bigdl.tensor.Tensor;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

public class BigdlAnswers {
  static final Object FLOAT = scala.reflect.ClassTag$.MODULE$.Float();
  static Object numeric;

  static Object module(String name) throws Exception {
    return Class.forName(name).getField("MODULE$").get(null);
  }

  static BigDLModule dense(BigDLModule module) {
    if (module.getModuleType().endsWith("keras.layers.Dense")) return module.getSubModules(0);
    return module.getSubModulesList().stream().map(BigdlAnswers::dense).filter(Objects::nonNull).findFirst()
        .orElse(null);
  }

  /// The file itself, or one with what BigDL knows of a model of Analytics Zoo: the inside of its one Dense layer.
  static String known(String file) throws Exception {
    BigDLModule whole = BigDLModule.parseFrom(Files.readAllBytes(Path.of(file)));
    if (!whole.getModuleType().contains(".zoo.")) return file;
    Path inner = Files.createTempFile("inner", ".model");
    inner.toFile().deleteOnExit();
    BigDLModule.Builder module = dense(whole).toBuilder();
    module.putAttr("global_storage", whole.getAttrOrThrow("global_storage"));
    Files.write(inner, module.build().toByteArray());
    return inner.toString();
  }

  static AbstractModule load(String file, String weights) throws Exception {
    Object loader = module("com.intel.analytics.bigdl.utils.serializer.ModuleLoader$");
    for (Method method : loader.getClass().getMethods()) {
      if (method.getName().equals("loadFromFile")) {
        return (AbstractModule) method.invoke(loader, file, weights.equals("-") ? null : weights, FLOAT, numeric);
      }
    }
    throw new NoSuchMethodException("loadFromFile");
  }

  static Tensor input(int[] shape) throws Exception {
    float[] numbers = new float[IntStream.of(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < numbers.length; i++) numbers[i] = i * 7919L % 1000 / 500f - 1f;
    Object tensors = module("com.intel.analytics.bigdl.tensor.Tensor$");
    for (Method method : tensors.getClass().getMethods()) {
      if (method.getName().equals("apply") && method.getParameterCount() == 4
          && method.getParameterTypes()[0] == Object.class && method.getParameterTypes()[1] == int[].class) {
        return (Tensor) method.invoke(tensors, numbers, shape, FLOAT, numeric);
      }
    }
    throw new NoSuchMethodException("Tensor.apply");
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("bigdl.localMode", "true");
    System.setProperty("bigdl.coreNumber", "1");
    numeric = module("com.intel.analytics.bigdl.tensor.TensorNumericMath$TensorNumeric$NumericFloat$");
    Object engine = module("com.intel.analytics.bigdl.utils.Engine$");
    engine.getClass().getMethod("init").invoke(engine);
    AbstractModule model = load(known(arguments[0]), arguments[1]);
    model.evaluate();
    int[] shape = Arrays.stream(arguments[2].split("x")).mapToInt(Integer::parseInt).toArray();
    Tensor answer = ((Tensor) model.forward((Activity) input(shape))).contiguous();
    float[] all = (float[]) answer.storage().array();
    Files.writeString(Path.of(arguments[3]),
        IntStream.range(0, answer.nElement()).mapToObj(i -> Float.toString(all[answer.storageOffset() - 1 + i]))
            .collect(Collectors.joining("\n")));
  }
}
